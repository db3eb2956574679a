/** `parse_time` and `time_to_epoch` (developer guide, page iot-sql-functions). */
import { toInt } from '../arithmetic.ts';
import { toDouble } from '../numbers.ts';
import { toNumber } from '../values.ts';
import { type SqlFunctions, ofTexts, ofValues } from './definition.ts';
import { formatTime } from './format-time.ts';
import { readTime } from './read-time.ts';
import { zoneOf } from './zone.ts';

/** Making a formatter for a zone is what costs. */
const COST = 100;

export const TIME: SqlFunctions = {
  parse_time: ofValues({ least: 2, most: 3 }, ([pattern, instant, zone = 'UTC'], evaluation) => {
    const number = toNumber(instant);
    const whole = number === undefined ? undefined : toInt(number, 'floor', evaluation.dialect);
    if (typeof pattern !== 'string' || whole === undefined || typeof zone !== 'string') return undefined;
    evaluation.spend(COST);
    const known = zoneOf(zone, evaluation.spend);
    return known === undefined ? undefined : formatTime(pattern, toDouble(whole), known);
  }),
  time_to_epoch: ofTexts({ least: 2 }, ([text = '', pattern = ''], evaluation) => {
    evaluation.spend(COST);
    return readTime(text, pattern, evaluation.spend);
  }),
};
