/** A server with one device that may do anything, rules, and what the metrics say of them. */
import assert from 'node:assert/strict';
import { type Action, CreateTopicRuleCommand, type TopicRulePayload } from '@aws-sdk/client-iot';
import type { IPublishPacket } from 'mqtt-packet';
import { DeviceConnection, type Level } from './device-connection.ts';
import { ACCOUNT, ALLOW_ALL, type Device, makeDevice, makePolicy } from './devices.ts';
import { startServer, type TestServer } from './test-core.ts';

export const ROLE = `arn:aws:iam::${ACCOUNT}:role/not-kept-here`;

export class RuleBench implements AsyncDisposable {
  readonly server: TestServer;
  readonly device: Device;

  constructor(server: TestServer, device: Device) {
    this.server = server;
    this.device = device;
  }

  static async open(args: readonly string[] = [], dataDir?: string): Promise<RuleBench> {
    const server = await startServer({
      args: ['--log-level', 'warn', '--metrics-tenants', ...args],
      dataDir,
    });
    await makePolicy(server, 'all', ALLOW_ALL);
    return new RuleBench(server, await makeDevice(server, 'device', 'all'));
  }

  connect(clientId: string, level: Level = 4): Promise<DeviceConnection> {
    return DeviceConnection.admitted(this.server, level, clientId, this.device);
  }

  async listener(filter: string, level: Level = 4): Promise<DeviceConnection> {
    const listener = await this.connect(`listener-${filter.replaceAll(/[^a-z]/g, '')}`, level);
    listener.subscribe(filter, 1);
    assert.equal((await listener.next()).cmd, 'suback');
    return listener;
  }

  async rule(ruleName: string, sql: string, actions: Action[], more: Partial<TopicRulePayload> = {}): Promise<void> {
    const topicRulePayload = { sql, actions, awsIotSqlVersion: '2016-03-23', ...more };
    await this.server.iot.send(new CreateTopicRuleCommand({ ruleName, topicRulePayload }));
  }

  metric(line: RegExp): Promise<number> {
    return fetch(this.server.metrics)
      .then((answer) => answer.text())
      .then((text) => Number(new RegExp(`^${line.source} (\\d+)$`, 'm').exec(text)?.[1]));
  }

  /** Actions that are not done, of all types. */
  async actionsWaiting(): Promise<number> {
    const text = await (await fetch(this.server.metrics)).text();
    const counts = [...text.matchAll(/^thingkeep_rule_actions_waiting\{type="\w+"\} (\d+)$/gm)];
    return counts.reduce((sum, [, count]) => sum + Number(count), 0);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.server[Symbol.asyncDispose]();
  }
}

export const republish = (topic: string, more: object = {}): Action => ({ republish: { roleArn: ROLE, topic, ...more } });

/** The next message as topic and text. */
export async function message(device: DeviceConnection): Promise<[string, string]> {
  const { cmd, topic, payload } = (await device.next()) as IPublishPacket;
  assert.equal(cmd, 'publish');
  return [topic, payload.toString()];
}
