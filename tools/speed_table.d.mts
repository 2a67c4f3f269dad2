/** The README with its speed tables as the raw reports have them. */
export function withSpeedTable(readme: string): string;
