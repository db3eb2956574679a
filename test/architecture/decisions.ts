/** Checks over docs/decisions: each page has a number, a date and a status, and the list has all of them in order. */
import type { Page } from './prose.ts';

const FOLDER = 'docs/decisions/';
const LIST = `${FOLDER}README.md`;
const OPENING = /^# (.+)\n\nDecision (\d+), (\d{4}-\d\d-\d\d), (in force|superseded by (\d+))\.\n/;

export function decisionFaults(pages: readonly Page[]): string[] {
  const decisions = pages.filter(({ path }) => path.startsWith(FOLDER) && path !== LIST);
  const read = decisions.flatMap(({ path, text }) => {
    const [, title = '', number = '', date = '', status = '', successor] = OPENING.exec(text) ?? [];
    const row = `| ${number} | [${title}](${path.slice(FOLDER.length)}) | ${date} | ${status} |`;
    return number === '' ? [] : [{ path, number: Number(number), date, successor, row }];
  });
  const ordered = read.sort((a, b) => a.number - b.number);
  const rows = ordered.map(({ row }) => row);
  const listed: readonly string[] = pages.find(({ path }) => path === LIST)?.text.match(/^\| \d+ \|.*$/gm) ?? [];
  return [
    ...decisions
      .filter(({ text }) => !OPENING.test(text))
      .map(({ path }) => `${path} does not begin with its title and "Decision N, YYYY-MM-DD, in force."`),
    ...ordered.flatMap(({ path, number, date, successor }, index) => [
      ...(number === index + 1 ? [] : [`${path} is decision ${number}, where ${index + 1} is next`]),
      ...(date < (ordered[index - 1]?.date ?? '') ? [`${path} is dated before the decision before it`] : []),
      ...(successor === undefined || (Number(successor) > number && Number(successor) <= ordered.length)
        ? []
        : [`${path} is superseded by ${successor}, which is not there`]),
    ]),
    ...rows.filter((row) => !listed.includes(row)).map((row) => `${LIST} has no row ${row}`),
    ...listed.filter((row, index) => row !== rows[index]).map((row) => `${LIST} has a row out of place: ${row}`),
  ];
}
