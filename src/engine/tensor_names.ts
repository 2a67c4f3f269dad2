// How checkpoints spell a model's prefix, beside the model's own way: multimodal wrappers, MLX, and bare base models.
const SPELLINGS: Readonly<Record<string, readonly string[]>> = {
  "model.": ["model.language_model.", "language_model.model.", ""],
  "transformer.": ["model.", ""],
  "gpt_neox.": ["model.", ""],
};

// Buffers that old checkpoints carry along and that every family computes by itself; then what is not the decoder's.
const RECOMPUTED = /\.(rotary_emb\.inv_freq|(attn|attention)\.(masked_)?bias|position_ids)$/;
const OTHER_PARTS = /^(model\.)?(mtp|vision|audio|visual|multi_modal_projector|embed_vision|embed_audio)/;

/** Whether no decoder reads a tensor, whatever its family. */
export function isNeverRead(name: string): boolean {
  return RECOMPUTED.test(name) || OTHER_PARTS.test(name);
}

/** Find out, by where its embedding lies, how a checkpoint spells the names that a model expects. */
export function tensorNaming(embedding: string, hasTensor: (name: string) => boolean): (name: string) => string {
  const prefix = embedding.slice(0, embedding.indexOf(".") + 1);
  const tensors = [".weight", ".qweight", ".weight_packed", "._weight_qdata"];
  const hasEmbedding = (spelling: string) => tensors.some((tensor) => hasTensor(spelling + embedding.slice(prefix.length) + tensor));
  const spelling = [prefix, ...(SPELLINGS[prefix] ?? [])].find(hasEmbedding) ?? prefix;
  const outside = spelling === "language_model.model." ? "language_model." : ""; // the head lies beside the model
  return (name) => (name.startsWith(prefix) ? spelling + name.slice(prefix.length) : outside + name);
}
