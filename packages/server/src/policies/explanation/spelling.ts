/** Words that are nearly the same. */

/** Longer texts are not compared. */
const MAX_LENGTH = 64;
const MAX_CHANGES = 2;

/** Whether two texts differ by one or two characters, of six or more, that were left out, put in, changed or exchanged. */
export function isMisspelt(text: string, meant: string): boolean {
  const changes = Math.min(MAX_CHANGES, Math.floor(meant.length / 3));
  if (text === meant || text.length > MAX_LENGTH || meant.length > MAX_LENGTH) return false;
  if (Math.abs(text.length - meant.length) > changes) return false;
  let before: number[] = [];
  let row = Array.from({ length: meant.length + 1 }, (_, column) => column);
  for (let line = 1; line <= text.length; line += 1) {
    const next = [line];
    for (let column = 1; column <= meant.length; column += 1) {
      const same = text[line - 1] === meant[column - 1];
      let least = Math.min((row[column] ?? 0) + 1, (next[column - 1] ?? 0) + 1, (row[column - 1] ?? 0) + (same ? 0 : 1));
      if (line > 1 && column > 1 && text[line - 1] === meant[column - 2] && text[line - 2] === meant[column - 1])
        least = Math.min(least, (before[column - 2] ?? 0) + 1);
      next.push(least);
    }
    [before, row] = [row, next];
  }
  return (row[meant.length] ?? 0) <= changes;
}

/** 0 for texts that begin and end alike, 1 for those that share nothing. */
export function dissimilarity(one: string, other: string): number {
  const length = Math.max(one.length, other.length, 1);
  let begin = 0;
  while (begin < length && one[begin] === other[begin]) begin += 1;
  let end = 0;
  while (end < length - begin && one.at(-1 - end) === other.at(-1 - end)) end += 1;
  return 1 - Math.min(begin + end, length) / length;
}
