/** The README with its speed table as the raw reports have it. */
export function withSpeedTable(readme: string): string;
