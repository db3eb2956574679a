import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { policyAttachments } from '../policies/store.ts';
import { findClaim } from '../store/claims.ts';
import { factoryCa, NOW, signedBy } from '../testing/factory-ca.ts';
import { rootOf } from '../testing/operations-fixture.ts';
import { caller, MINUTE, RegistryFixture, stranger } from '../testing/registry-fixture.ts';
import { policyTargets } from './policy-principals.ts';
import { MAX_TRANSFERS } from './certificate-transfers.ts';
import { certificates, transferCounts } from './store.ts';

const third = rootOf('222222222222');
const targetAwsAccount = stranger.accountId;

const described = async (bench: RegistryFixture, certificateId: string, as = caller) =>
  (await bench.call('DescribeCertificate', { certificateId }, as)).certificateDescription;

const listed = async (bench: RegistryFixture, as = caller) =>
  (await bench.call('ListCertificates', {}, as)).certificates?.map((each) => [each.certificateId, each.status]);

const holder = async (bench: RegistryFixture, certificateId: string) => {
  const found = await bench.store.read((tx) => findClaim(tx, 'certificate', certificateId));
  return found === undefined ? undefined : [found.accountId, found.active];
};

/** An INACTIVE certificate of the caller, on its way to the stranger. */
async function sent(bench: RegistryFixture): Promise<string> {
  const { id: certificateId } = await bench.certificate(false);
  await bench.call('TransferCertificate', { certificateId, targetAwsAccount, transferMessage: 'yours' });
  return certificateId;
}

describe('a transfer (facts 4.8 and 28)', () => {
  test('both sides see it while it is under way', async () => {
    await using bench = await RegistryFixture.open();
    const { id: certificateId } = await bench.certificate(false);
    bench.clock.at += MINUTE;
    assert.deepEqual(
      await bench.call('TransferCertificate', {
        certificateId: certificateId.toUpperCase(),
        targetAwsAccount,
        transferMessage: 'yours',
      }),
      { transferredCertificateArn: `arn:aws:iot:us-east-1:${targetAwsAccount}:cert/${certificateId}` },
    );
    const transferDate = new Date(NOW + MINUTE);
    for (const as of [caller, stranger]) {
      assert.deepEqual(await listed(bench, as), [[certificateId, 'PENDING_TRANSFER']]);
      const told = await described(bench, certificateId, as);
      assert.deepEqual([told?.status, told?.ownedBy], ['PENDING_TRANSFER', caller.accountId]);
      assert.equal(told?.previousOwnedBy, undefined);
      assert.deepEqual(JSON.parse(JSON.stringify(told?.transferData)), {
        transferMessage: 'yours',
        transferDate: transferDate.toJSON(),
      });
    }
    const outgoing = await bench.call('ListOutgoingCertificates', {});
    assert.deepEqual(outgoing.outgoingCertificates, [
      {
        certificateArn: `arn:aws:iot:us-east-1:${caller.accountId}:cert/${certificateId}`,
        certificateId,
        transferredTo: targetAwsAccount,
        transferDate,
        transferMessage: 'yours',
        creationDate: new Date(NOW),
      },
    ]);
    assert.deepEqual((await bench.call('ListOutgoingCertificates', {}, stranger)).outgoingCertificates, []);
    assert.deepEqual(await listed(bench, third), []);
    await bench.refuses('ResourceNotFoundException', 'DescribeCertificate', { certificateId }, /./, third);
  });

  test('ListOutgoingCertificates goes by the time of the transfer, in pages', async () => {
    await using bench = await RegistryFixture.open();
    const ids: string[] = [];
    for (let i = 0; i < 3; i += 1) {
      bench.clock.at += MINUTE;
      ids.push(await sent(bench));
    }
    const page = await bench.call('ListOutgoingCertificates', { ascendingOrder: true, pageSize: 2 });
    const rest = await bench.call('ListOutgoingCertificates', { ascendingOrder: true, marker: page.nextMarker });
    const seen = [page, rest].flatMap(({ outgoingCertificates: some = [] }) => some.map((each) => each.certificateId));
    assert.deepEqual(seen, ids);
    const newest = await bench.call('ListOutgoingCertificates', { pageSize: 1 });
    assert.equal(newest.outgoingCertificates?.[0]?.certificateId, ids[2]);
  });

  test('accepted it is the target’s, with its claim; the source has nothing of it', async () => {
    for (const setAsActive of [false, true]) {
      await using bench = await RegistryFixture.open();
      const certificateId = await sent(bench);
      assert.deepEqual(await holder(bench, certificateId), [caller.accountId, false]);
      bench.rung();
      bench.clock.at += MINUTE;
      await bench.call('AcceptCertificateTransfer', { certificateId, setAsActive }, stranger);
      const status = setAsActive ? 'ACTIVE' : 'INACTIVE';
      const told = await described(bench, certificateId, stranger);
      assert.deepEqual(
        [told?.status, told?.ownedBy, told?.previousOwnedBy, told?.certificateArn, told?.customerVersion],
        [status, targetAwsAccount, caller.accountId, `arn:aws:iot:us-east-1:${targetAwsAccount}:cert/${certificateId}`, 3],
      );
      assert.deepEqual(told?.transferData?.acceptDate, new Date(NOW + MINUTE));
      assert.deepEqual(await listed(bench, stranger), [[certificateId, status]]);
      assert.deepEqual(await listed(bench), []);
      assert.deepEqual((await bench.call('ListOutgoingCertificates', {})).outgoingCertificates, []);
      assert.deepEqual(await holder(bench, certificateId), [targetAwsAccount, setAsActive]);
      assert.deepEqual([...new Set(bench.rung())], [certificateId], 'its permissions are decided anew');
      for (const operation of ['DescribeCertificate', 'DeleteCertificate', 'TransferCertificate'] as const)
        await bench.refuses('ResourceNotFoundException', operation, { certificateId, targetAwsAccount: third.accountId });
      await bench.refuses('ResourceNotFoundException', 'UpdateCertificate', { certificateId, newStatus: 'ACTIVE' });
    }
  });

  test('rejected or canceled it is the source’s again, INACTIVE', async () => {
    await using bench = await RegistryFixture.open();
    const certificateId = await sent(bench);
    bench.clock.at += MINUTE;
    await bench.call('RejectCertificateTransfer', { certificateId, rejectReason: 'not ours' }, stranger);
    const told = await described(bench, certificateId);
    assert.deepEqual([told?.status, told?.ownedBy], ['INACTIVE', caller.accountId]);
    assert.deepEqual(told?.transferData?.rejectReason, 'not ours');
    assert.deepEqual(told?.transferData?.rejectDate, new Date(NOW + MINUTE));
    assert.deepEqual(await listed(bench, stranger), []);
    await bench.refuses('ResourceNotFoundException', 'DescribeCertificate', { certificateId }, /./, stranger);
    await bench.call('TransferCertificate', { certificateId, targetAwsAccount: third.accountId });
    assert.equal((await described(bench, certificateId))?.transferData?.rejectReason, undefined);
    await bench.call('CancelCertificateTransfer', { certificateId });
    assert.equal((await described(bench, certificateId))?.status, 'INACTIVE');
    assert.deepEqual(await listed(bench, third), []);
    await bench.call('UpdateCertificate', { certificateId, newStatus: 'ACTIVE' });
    assert.deepEqual(await holder(bench, certificateId), [caller.accountId, true]);
  });

  test('to an account that there is not it waits until the source cancels it', async () => {
    await using bench = await RegistryFixture.open();
    const { id: certificateId } = await bench.certificate(false);
    await bench.call('TransferCertificate', { certificateId, targetAwsAccount: '999999999999' });
    assert.equal((await described(bench, certificateId))?.status, 'PENDING_TRANSFER');
    await bench.call('CancelCertificateTransfer', { certificateId });
    assert.equal((await described(bench, certificateId))?.status, 'INACTIVE');
  });
});

describe('what is refused', () => {
  test('a certificate that is not INACTIVE, or on something', async () => {
    await using bench = await RegistryFixture.open();
    const { id: certificateId, arn } = await bench.certificate();
    const input = { certificateId, targetAwsAccount };
    await bench.refuses('CertificateStateException', 'TransferCertificate', input);
    for (const newStatus of ['REVOKED', 'INACTIVE'] as const) {
      if (newStatus === 'REVOKED') await bench.call('UpdateCertificate', { certificateId, newStatus });
      if (newStatus === 'REVOKED') await bench.refuses('CertificateStateException', 'TransferCertificate', input);
      await bench.call('UpdateCertificate', { certificateId, newStatus });
    }
    const attachment = { accountId: caller.accountId, policyName: 'p', target: arn, attachedAt: NOW };
    await bench.store.write((tx) => tx.put(policyAttachments, attachment));
    await bench.refuses('TransferConflictException', 'TransferCertificate', input, /policies are still attached/);
    await bench.store.write((tx) => tx.delete(policyAttachments, [caller.accountId, 'p', arn]));
    await bench.call('CreateThing', { thingName: 'a' });
    await bench.call('AttachThingPrincipal', { thingName: 'a', principal: arn });
    await bench.refuses('InvalidRequestException', 'TransferCertificate', input, /Things must be detached/);
    await bench.call('DetachThingPrincipal', { thingName: 'a', principal: arn });
    await bench.refuses('InvalidRequestException', 'TransferCertificate', { ...input, targetAwsAccount: caller.accountId });
    await bench.refuses('ResourceNotFoundException', 'TransferCertificate', { ...input, certificateId: '0'.repeat(64) });
    await bench.refuses('ResourceNotFoundException', 'TransferCertificate', input, /./, third);
    await bench.call('TransferCertificate', input);
    await bench.refuses('TransferConflictException', 'TransferCertificate', input, /already/);
  });

  test('a second end: the first of accept, reject and cancel wins', async () => {
    const ends = [
      ['AcceptCertificateTransfer', stranger],
      ['RejectCertificateTransfer', stranger],
      ['CancelCertificateTransfer', caller],
    ] as const;
    for (const [first, by] of ends) {
      await using bench = await RegistryFixture.open();
      const certificateId = await sent(bench);
      await bench.call(first, { certificateId }, by);
      for (const [second, as] of ends)
        await bench.refuses('TransferAlreadyCompletedException', second, { certificateId }, /already complete/, as);
    }
  });

  test('concurrent ends: one of them wins, and the certificate has one owner', async () => {
    await using bench = await RegistryFixture.open();
    for (let round = 0; round < 8; round += 1) {
      const certificateId = await sent(bench);
      const ends = [
        () => bench.call('AcceptCertificateTransfer', { certificateId, setAsActive: true }, stranger),
        () => bench.call('CancelCertificateTransfer', { certificateId }),
        () => bench.call('RejectCertificateTransfer', { certificateId }, stranger),
      ];
      const order = [...ends.slice(round % 3), ...ends.slice(0, round % 3)];
      const results = await Promise.allSettled(order.map((end) => end()));
      assert.equal(results.filter(({ status }) => status === 'fulfilled').length, 1);
      for (const result of results)
        if (result.status === 'rejected') assert.equal(result.reason.code, 'TransferAlreadyCompletedException');
      const records = await bench.store.read((tx) => tx.scan(certificates, { index: 'byId', prefix: [certificateId] }));
      assert.equal(records.items.length, 1);
    }
  });

  test('as many as are bounded are on their way at a time; each end makes room', async () => {
    await using bench = await RegistryFixture.open();
    const ends = [
      ['AcceptCertificateTransfer', stranger],
      ['RejectCertificateTransfer', stranger],
      ['CancelCertificateTransfer', caller],
    ] as const;
    const { accountId } = caller;
    const count = async () => (await bench.store.read((tx) => tx.get(transferCounts, [accountId])))?.count;
    for (const [end, by] of ends) {
      const certificateId = await sent(bench);
      assert.equal(await count(), 1);
      await bench.call(end, { certificateId }, by);
      await bench.refuses('TransferAlreadyCompletedException', end, { certificateId }, /./, by);
      assert.equal(await count(), undefined);
    }
    await bench.store.write((tx) => tx.put(transferCounts, { accountId, count: MAX_TRANSFERS - 1 }));
    const certificateId = await sent(bench);
    const { id: next } = await bench.certificate(false);
    const input = { certificateId: next, targetAwsAccount };
    await bench.refuses('InvalidRequestException', 'TransferCertificate', input, /10000 certificates .* the limit/);
    await bench.call('RejectCertificateTransfer', { certificateId }, stranger);
    await bench.call('TransferCertificate', input);
  });

  test('what was never sent can’t be accepted, rejected or canceled', async () => {
    await using bench = await RegistryFixture.open();
    const { id: certificateId } = await bench.certificate(false);
    await bench.refuses('ResourceNotFoundException', 'AcceptCertificateTransfer', { certificateId }, /./, stranger);
    await bench.refuses('ResourceNotFoundException', 'RejectCertificateTransfer', { certificateId }, /./, stranger);
    await bench.refuses('ResourceNotFoundException', 'CancelCertificateTransfer', { certificateId }, /./, stranger);
    await bench.refuses('InvalidRequestException', 'CancelCertificateTransfer', { certificateId });
    await bench.call('TransferCertificate', { certificateId, targetAwsAccount });
    for (const as of [third, caller]) {
      await bench.refuses('ResourceNotFoundException', 'AcceptCertificateTransfer', { certificateId }, /./, as);
      await bench.refuses('ResourceNotFoundException', 'RejectCertificateTransfer', { certificateId }, /./, as);
    }
    for (const as of [third, stranger])
      await bench.refuses('ResourceNotFoundException', 'CancelCertificateTransfer', { certificateId }, /./, as);
  });

  test('while it is under way the source attaches nothing, and neither side changes or deletes it', async () => {
    await using bench = await RegistryFixture.open();
    const certificateId = await sent(bench);
    const principal = `arn:aws:iot:us-east-1:${caller.accountId}:cert/${certificateId}`;
    await bench.call('CreateThing', { thingName: 'a' });
    await bench.refuses('InvalidRequestException', 'AttachThingPrincipal', { thingName: 'a', principal }, /being transferred/);
    assert.equal(await bench.store.read((tx) => policyTargets.isBeingTransferred(tx, caller.accountId, principal)), true);
    await bench.refuses('CertificateStateException', 'UpdateCertificate', { certificateId, newStatus: 'ACTIVE' });
    await bench.refuses('CertificateStateException', 'DeleteCertificate', { certificateId, forceDelete: true });
    await bench.refuses('ResourceNotFoundException', 'UpdateCertificate', { certificateId, newStatus: 'ACTIVE' }, /./, stranger);
    await bench.refuses('ResourceNotFoundException', 'DeleteCertificate', { certificateId }, /./, stranger);
  });
});

describe('attacks', () => {
  const foreign = async (bench: RegistryFixture, status: 'ACTIVE' | 'INACTIVE' | 'REVOKED', as = caller, pem?: string) => {
    const certificatePem = pem ?? (await signedBy(await factoryCa('factory'), 'device'));
    const { certificateId = '' } = await bench.call('RegisterCertificateWithoutCA', { certificatePem, status }, as);
    return { certificatePem, certificateId };
  };

  test('the giver registers it anew: devices stay with the account that has accepted it', async () => {
    await using bench = await RegistryFixture.open();
    const { certificatePem, certificateId } = await foreign(bench, 'INACTIVE');
    assert.equal(await holder(bench, certificateId), undefined);
    await bench.call('TransferCertificate', { certificateId, targetAwsAccount });
    await bench.call('AcceptCertificateTransfer', { certificateId }, stranger);
    await foreign(bench, 'ACTIVE', caller, certificatePem);
    assert.deepEqual(await holder(bench, certificateId), [targetAwsAccount, false]);
  });

  test('one that was registered as REVOKED is not made ACTIVE by a transfer', async () => {
    await using bench = await RegistryFixture.open();
    const { certificateId } = await foreign(bench, 'REVOKED');
    await bench.call('UpdateCertificate', { certificateId, newStatus: 'INACTIVE' });
    await bench.call('TransferCertificate', { certificateId, targetAwsAccount });
    const accept = { certificateId, setAsActive: true };
    await bench.refuses('InvalidRequestException', 'AcceptCertificateTransfer', accept, /REVOKED/, stranger);
    await bench.call('AcceptCertificateTransfer', { certificateId }, stranger);
    const update = { certificateId, newStatus: 'ACTIVE' } as const;
    await bench.refuses('CertificateStateException', 'UpdateCertificate', update, /REVOKED/, stranger);
  });

  test('a copy that others have registered and sent before does not stand before the holder’s', async () => {
    await using bench = await RegistryFixture.open();
    const { certificatePem, certificateId } = await foreign(bench, 'ACTIVE');
    await foreign(bench, 'INACTIVE', third, certificatePem);
    await bench.call('TransferCertificate', { certificateId, targetAwsAccount, transferMessage: 'forged' }, third);
    bench.clock.at += MINUTE;
    await bench.call('UpdateCertificate', { certificateId, newStatus: 'INACTIVE' });
    await bench.call('TransferCertificate', { certificateId, targetAwsAccount });
    await bench.call('AcceptCertificateTransfer', { certificateId }, stranger);
    assert.equal((await described(bench, certificateId, stranger))?.previousOwnedBy, caller.accountId);
    assert.deepEqual(await holder(bench, certificateId), [targetAwsAccount, false]);
    // The copy is in the way of nothing: it can be rejected, and its sender has no claim.
    await bench.refuses('InvalidRequestException', 'AcceptCertificateTransfer', { certificateId }, /already/, stranger);
    await bench.call('RejectCertificateTransfer', { certificateId }, stranger);
    assert.deepEqual(await listed(bench, stranger), [[certificateId, 'INACTIVE']]);
  });

  test('a copy without the claim does not take it by an acceptance', async () => {
    await using bench = await RegistryFixture.open();
    const { certificatePem, certificateId } = await foreign(bench, 'ACTIVE');
    await foreign(bench, 'INACTIVE', third, certificatePem);
    await bench.call('TransferCertificate', { certificateId, targetAwsAccount }, third);
    await bench.call('AcceptCertificateTransfer', { certificateId, setAsActive: true }, stranger);
    assert.deepEqual(await holder(bench, certificateId), [caller.accountId, true]);
  });

  test('what the target has registered itself stays as it is', async () => {
    await using bench = await RegistryFixture.open();
    const { certificatePem, certificateId } = await foreign(bench, 'ACTIVE', stranger);
    await foreign(bench, 'INACTIVE', caller, certificatePem);
    await bench.call('TransferCertificate', { certificateId, targetAwsAccount });
    assert.equal((await described(bench, certificateId, stranger))?.status, 'ACTIVE');
    await bench.refuses('InvalidRequestException', 'AcceptCertificateTransfer', { certificateId }, /already/, stranger);
    await bench.call('RejectCertificateTransfer', { certificateId }, stranger);
    assert.deepEqual(await listed(bench, stranger), [[certificateId, 'ACTIVE']]);
  });

  test('on to a third account and back to the first: each step by the owner alone', async () => {
    await using bench = await RegistryFixture.open();
    const certificateId = await sent(bench);
    await bench.call('AcceptCertificateTransfer', { certificateId }, stranger);
    await bench.call('TransferCertificate', { certificateId, targetAwsAccount: third.accountId }, stranger);
    await bench.refuses('TransferAlreadyCompletedException', 'CancelCertificateTransfer', { certificateId });
    await bench.call('AcceptCertificateTransfer', { certificateId }, third);
    await bench.refuses('ResourceNotFoundException', 'CancelCertificateTransfer', { certificateId });
    await bench.call('TransferCertificate', { certificateId, targetAwsAccount: caller.accountId }, third);
    await bench.call('AcceptCertificateTransfer', { certificateId });
    const told = await described(bench, certificateId);
    assert.deepEqual([told?.ownedBy, told?.previousOwnedBy], [caller.accountId, third.accountId]);
    assert.deepEqual(await holder(bench, certificateId), [caller.accountId, false]);
  });
});
