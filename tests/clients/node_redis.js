// SPDX-License-Identifier: BSD-3-Clause
// node-redis against the server, with RESP2 and RESP3. usage: node_redis.js PORT SOCKET
'use strict';
const assert = require('assert/strict');
const {createClient} = require('redis');

const [port, path] = [Number(process.argv[2]), process.argv[3]];

async function types(client) {
  assert.equal(await client.set('s', 'value', {EX: 100}), 'OK');
  assert.equal(await client.get('s'), 'value');
  assert.equal(await client.get('nokey'), null);
  assert.equal(await client.hSet('h', {a: '1', b: '2'}), 2);
  assert.deepEqual({...await client.hGetAll('h')}, {a: '1', b: '2'});
  assert.equal(await client.rPush('l', ['x', 'y', 'z']), 3);
  assert.deepEqual(await client.lRange('l', 0, -1), ['x', 'y', 'z']);
  assert.equal(await client.sAdd('t', 'm'), 1);
  assert.deepEqual([...await client.sMembers('t')], ['m']);
  assert.equal(await client.zAdd('z', [{score: 1.5, value: 'a'}, {score: 2, value: 'b'}]), 2);
  assert.equal(await client.zScore('z', 'a'), 1.5);
  assert.deepEqual(await client.zRangeWithScores('z', 0, -1), [{value: 'a', score: 1.5}, {value: 'b', score: 2}]);
  await assert.rejects(client.lPush('s', 'x'), /WRONGTYPE/);
}

async function transactions(client) {
  assert.deepEqual(await client.multi().set('n', '1').incr('n').get('n').exec(), ['OK', 2, '2']);
  const many = await Promise.all(Array.from({length: 2000}, (_, i) => client.set(`many:${i}`, String(i))));
  assert.equal(many.length, 2000);
  const keys = new Set();
  for await (const page of client.scanIterator({MATCH: 'many:*', COUNT: 100})) [].concat(page).forEach((key) => keys.add(key));
  assert.equal(keys.size, 2000);
}

async function messages(client) {
  const subscriber = client.duplicate();
  await subscriber.connect();
  const received = new Promise((resolve) => {
    subscriber.subscribe('a', (text, channel) => resolve([channel, text]));
  });
  while ((await client.publish('a', 'hello')) === 0) await new Promise((resolve) => setTimeout(resolve, 10));
  assert.deepEqual(await received, ['a', 'hello']);
  await subscriber.unsubscribe();
  subscriber.destroy();
}

async function main() {
  for (const socket of [{host: '127.0.0.1', port}, {path}]) {
    for (const RESP of [2, 3]) {
      const client = createClient({socket, RESP});
      client.on('error', (error) => { throw error; });
      await client.connect();
      await client.flushAll();
      await types(client);
      await transactions(client);
      await messages(client);
      assert.match(await client.info('server'), /redis_version:/);
      await client.close();
    }
  }
  console.log('all passed');
}

main().catch((error) => {
  console.error(error);
  process.exit(1);
});
