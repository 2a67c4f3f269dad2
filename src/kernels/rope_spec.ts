/** How positions rotate queries and keys. */
export interface RopeSpec {
  /** Leading dimensions of a head that are rotated; 0 when positions are not encoded at all. */
  rotaryDim: number;
  /** Whether dimensions 2i and 2i + 1 turn together, rather than i and i + rotaryDim / 2. */
  isInterleaved: boolean;
  /** Radians per position of each pair of dimensions, `[rotaryDim / 2]`. */
  inverseFrequencies: readonly number[];
  /** Factor of cosine and sine. */
  attentionFactor: number;
  /** Queries grow by 1 + beta ln(1 + floor(position / span)); off when beta is 0. */
  queryGrowth: { beta: number; span: number };
}
