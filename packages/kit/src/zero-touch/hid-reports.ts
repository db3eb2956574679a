/**
 * USB HID reports of the Zero Touch kit: lines of text in pieces of 64 bytes. The host puts a report id of 0 before each piece
 * and fills its last one with 04; the board sends 64 bytes, the last ones filled with 00.
 */

export const REPORT_LENGTH = 64;
/** A report id, and the piece. */
export const HOST_REPORT_LENGTH = REPORT_LENGTH + 1;
/** Longest line that the board takes; what is longer is dropped. */
const LONGEST = 6000;
const LINE_FEED = 0x0a;

/** Puts the host's reports together to lines. */
export class ReportReader {
  #pieces: Buffer[] = [];
  #length = 0;

  /** The line that a report ends, without its line feed; what follows in the report is fill. Undefined while it goes on. */
  take(report: Buffer): string | undefined {
    const piece = report.subarray(1);
    const end = piece.indexOf(LINE_FEED);
    const part = end < 0 ? piece : piece.subarray(0, end);
    this.#length += part.length;
    if (this.#length <= LONGEST) this.#pieces.push(Buffer.from(part));
    if (end < 0) return undefined;
    const line = this.#length <= LONGEST ? Buffer.concat(this.#pieces).toString('latin1') : '';
    this.#pieces = [];
    this.#length = 0;
    return line;
  }
}

/** The board's reports of a line. */
export function boardReports(line: string): Buffer[] {
  const bytes = Buffer.from(`${line}\n`, 'latin1');
  return Array.from({ length: Math.ceil(bytes.length / REPORT_LENGTH) }, (_, index) => {
    const report = Buffer.alloc(REPORT_LENGTH);
    bytes.copy(report, 0, index * REPORT_LENGTH, (index + 1) * REPORT_LENGTH);
    return report;
  });
}
