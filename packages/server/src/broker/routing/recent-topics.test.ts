/** Topics of answers are the same objects while they are in use, and take a bounded part of the memory. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RecentTopics } from './recent-topics.ts';
import { RoutedTopic } from './routed-topic.ts';

test('a topic that is asked for again stays, and of others the newest do', () => {
  const topics = new RecentTopics();
  let made = 0;
  const make = (name: string): RoutedTopic => {
    made += 1;
    return new RoutedTopic(name, name);
  };
  const kept = topics.get('kept', make);
  for (let i = 0; i < 50_000; i += 1) {
    topics.get(`t/${i}`, make);
    if (i % 5_000 === 0) assert.equal(topics.get('kept', make), kept);
  }
  assert.equal(made, 50_001);
  assert.ok(topics.size <= 20_000, `${topics.size} topics are remembered`);
  topics.get('t/0', make);
  assert.equal(made, 50_002);
});
