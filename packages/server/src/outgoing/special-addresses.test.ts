/** Every row of IANA's registries of special-purpose addresses, and what stands beside them, in every form of writing. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { hostOf } from './egress.ts';
import { specialPurpose } from './special-addresses.ts';

/**
 * First and last address of each block that is not globally reachable unicast (IANA, IPv4 Special-Purpose Address Registry; RFC
 * 5771).
 */
const IPV4 = [
  ['0.0.0.0', '0.255.255.255'],
  ['10.0.0.0', '10.255.255.255'],
  ['100.64.0.0', '100.127.255.255'],
  ['127.0.0.0', '127.255.255.255'],
  ['169.254.0.0', '169.254.255.255'],
  ['172.16.0.0', '172.31.255.255'],
  ['192.0.0.0', '192.0.0.255'],
  ['192.0.2.0', '192.0.2.255'],
  ['192.88.99.0', '192.88.99.255'],
  ['192.168.0.0', '192.168.255.255'],
  ['198.18.0.0', '198.19.255.255'],
  ['198.51.100.0', '198.51.100.255'],
  ['203.0.113.0', '203.0.113.255'],
  ['224.0.0.0', '239.255.255.255'],
  ['240.0.0.0', '255.255.255.255'],
] as const;

/** Globally reachable: right beside the blocks, and the blocks that the registry says are. */
const IPV4_PUBLIC = [
  ...['1.0.0.0', '9.255.255.255', '11.0.0.0', '100.63.255.255', '100.128.0.0', '126.255.255.255', '128.0.0.0', '8.8.8.8'],
  ...['169.253.255.255', '169.255.0.0', '172.15.255.255', '172.32.0.0', '191.255.255.255', '192.0.1.0', '192.0.3.0'],
  ...['192.31.196.1', '192.52.193.1', '192.175.48.1', '192.167.255.255', '192.169.0.0', '198.17.255.255', '198.20.0.0'],
  ...['198.51.99.255', '198.51.101.0', '203.0.112.255', '203.0.114.0', '223.255.255.255'],
];

/** IANA, IPv6 Special-Purpose Address Registry, and what is outside global unicast (RFC 4291). */
const IPV6 = [
  ...['::', '::1', '::2', '::127.0.0.1', '::8.8.8.8', '::ffff:0:8.8.8.8', '64:ff9b:1::8.8.8.8', '64:ff9b:1:ffff::1'],
  ...['100::', '100::ffff:ffff:ffff:ffff', '100:0:0:1::1', '2001::', '2001:0:4136:e378::1', '2001:1::1', '2001:2::1'],
  ...['2001:3::1', '2001:4:112::1', '2001:10::1', '2001:20::1', '2001:30::1', '2001:1ff:ffff::1', '2001:db8::1'],
  ...['2001:db8:ffff:ffff:ffff:ffff:ffff:ffff', '2002::1', '2002:7f00:1::', '2002:808:808::1', '3fff::1', '3fff:fff:ffff::1'],
  ...['4000::1', '5f00::1', '8000::1', 'fc00::1', 'fd12:3456::1', 'fdff:ffff::1', 'fe80::1', 'febf::1', 'fec0::1', 'ff02::1'],
];
const IPV6_PUBLIC = [
  '2000::1',
  '2001:200::1',
  '2001:db7:ffff::1',
  '2001:db9::1',
  '2003::1',
  '2606:4700::1111',
  '2620:4f:8000::1',
  '3ffe::1',
  '3fff:1000::1',
];

describe('an address', () => {
  test('of a block of the IPv4 registry is not of the internet, also mapped into IPv6 and behind a translator', () => {
    for (const block of IPV4)
      for (const address of block)
        for (const form of [address, `::ffff:${address}`, `64:ff9b::${address}`]) assert.ok(specialPurpose(form), form);
  });

  test('beside the blocks is, in all of these forms', () => {
    for (const address of IPV4_PUBLIC)
      for (const form of [address, `::ffff:${address}`, `64:ff9b::${address}`])
        assert.equal(specialPurpose(form), undefined, form);
  });

  test('of IPv6 is of the internet within global unicast alone, and not in its special blocks', () => {
    for (const address of IPV6) assert.ok(specialPurpose(address), address);
    for (const address of IPV6_PUBLIC) assert.equal(specialPurpose(address), undefined, address);
  });

  test('with a zone, and what is no address, are refused', () => {
    for (const text of [
      'fe80::1%eth0',
      '8.8.8.8%1',
      '',
      'localhost',
      '8.8.8',
      '8.8.8.8.8',
      '010.8.8.8',
      '0x8.8.8.8',
      '256.1.1.1',
    ])
      assert.ok(specialPurpose(text), text);
  });

  test('is known in every form that a URL may have it in', () => {
    const forms = [
      ...[
        'http://2130706433/',
        'http://0x7f000001/',
        'http://0177.0.0.1/',
        'http://127.1/',
        'http://0x7f.1/',
        'http://127.0.0.1./',
      ],
      ...[
        'http://[::1]/',
        'http://[::ffff:127.0.0.1]/',
        'http://[::ffff:7f00:1]/',
        'http://[0:0:0:0:0:0:0:1]/',
        'http://[::ffff:0x7f.0.0.1]/',
      ],
      ...['http://１２７.０.０.１/', 'http://127。0。0。1/', 'http://[64:ff9b::7f00:1]/', 'http://0/', 'http://017700000001/'],
      ...['http://2852039166/latest/meta-data', 'http://[fe80::1%25eth0]/', 'http://0x0a000001/', 'http://[::]/'],
    ];
    for (const form of forms) {
      const url = URL.parse(form);
      assert.ok(url === null || specialPurpose(hostOf(url)), form);
    }
    assert.equal(specialPurpose(hostOf(new URL('http://0x8080808/'))), undefined);
  });
});
