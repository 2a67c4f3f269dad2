const MONTHS = ["January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November", "December"];
const DAYS = ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"];

/**
 * Format a local time as Python's strftime does in its C locale.
 *
 * The names are always English, because models were trained on prompts that say "26 Jul 2024" whatever the reader speaks.
 */
export function strftime(time: Date, format: string): string {
  return format.replace(/%(-?)([A-Za-z%])/g, (directive, unpadded: string, letter: string) => {
    const text = field(time, letter);
    if (text === undefined) return directive;
    return unpadded === "" ? text : text.replace(/^0+(?=\d)/, "");
  });
}

function field(time: Date, letter: string): string | undefined {
  const padded = (value: number) => String(value).padStart(2, "0");
  switch (letter) {
    case "Y": return String(time.getFullYear());
    case "y": return padded(time.getFullYear() % 100);
    case "m": return padded(time.getMonth() + 1);
    case "d": return padded(time.getDate());
    case "B": return MONTHS[time.getMonth()];
    case "b": return MONTHS[time.getMonth()].slice(0, 3);
    case "A": return DAYS[time.getDay()];
    case "a": return DAYS[time.getDay()].slice(0, 3);
    case "H": return padded(time.getHours());
    case "I": return padded(time.getHours() % 12 || 12);
    case "p": return time.getHours() < 12 ? "AM" : "PM";
    case "M": return padded(time.getMinutes());
    case "S": return padded(time.getSeconds());
    case "%": return "%";
    default: return undefined;
  }
}
