/** EC2 DescribeAvailabilityZones, which Terraform's AWS provider asks for the zones of its region (API reference of EC2). */
import type { Caller } from '@thingkeep/wire/api/handlers.ts';
import type { Xml } from './xml.ts';

/** `us-east-1` -> `use1`, `us-gov-west-1` -> `usgw1`, as zone ids abbreviate regions. */
const shortRegion = (region: string): string => {
  const [area = '', ...rest] = region.split('-');
  const initials =
    rest
      .slice(0, -1)
      .join('')
      .match(/gov|iso|north|south|east|west|central/g) ?? [];
  return `${area}${initials.map((word) => word[0]).join('')}${rest.at(-1) ?? ''}`;
};

function zone(region: string, letter: string, index: number): Xml {
  return [
    ['groupName', region],
    ['messageSet', ''],
    ['networkBorderGroup', region],
    ['optInStatus', 'opt-in-not-required'],
    ['regionName', region],
    ['zoneId', `${shortRegion(region)}-az${index + 1}`],
    ['zoneName', `${region}${letter}`],
    ['zoneState', 'available'],
    ['zoneType', 'availability-zone'],
  ];
}

/** Three zones of the caller's region. */
export function availabilityZones(caller: Caller): Xml {
  const items = ['a', 'b', 'c'].map((letter, index): readonly [string, Xml] => ['item', zone(caller.region, letter, index)]);
  return [
    ['requestId', caller.requestId],
    ['availabilityZoneInfo', items],
  ];
}
