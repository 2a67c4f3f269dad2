import type { TokenBytes } from "./token_bytes.ts";

/** How a stretch of tokens becomes text. */
export interface DetokenizerOptions {
  /** Whether the text starts here; a continuation keeps the space that some tokenizers put first. */
  first: boolean;
  /** Show control tokens such as `<|im_end|>` instead of hiding them. Default false. */
  keepSpecial?: boolean;
}

/** Turns token ids into text one at a time and holds back the bytes of an unfinished character. */
export class Detokenizer {
  private readonly tokens: TokenBytes;
  private readonly keepSpecial: boolean;
  // In stream mode the decoder itself keeps an unfinished sequence; a BOM is text like any other.
  private readonly decoder = new TextDecoder("utf-8", { ignoreBOM: true });
  private spacesToDrop: number;

  constructor(tokens: TokenBytes, options: DetokenizerOptions) {
    this.tokens = tokens;
    this.keepSpecial = options.keepSpecial ?? false;
    this.spacesToDrop = options.first ? tokens.leadingSpaces : 0;
  }

  /** Take the next token and return the text that is now whole; often one word, sometimes "". */
  push(id: number): string {
    if (!this.keepSpecial && this.tokens.isSpecial(id)) return "";
    return this.decoder.decode(this.withoutLeadingSpaces(this.tokens.bytes(id)), { stream: true });
  }

  /** End the text: what is still unfinished comes out as U+FFFD. */
  flush(): string {
    return this.decoder.decode();
  }

  private withoutLeadingSpaces(bytes: Uint8Array): Uint8Array {
    let start = 0;
    while (start < bytes.length && start < this.spacesToDrop && bytes[start] === 0x20) start++;
    // Only spaces at the very start are dropped, so the first other byte ends it.
    this.spacesToDrop = start < bytes.length ? 0 : this.spacesToDrop - start;
    return bytes.subarray(start);
  }
}
