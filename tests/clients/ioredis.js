// SPDX-License-Identifier: BSD-3-Clause
// ioredis against the server. usage: ioredis.js PORT SOCKET
'use strict';
const assert = require('assert/strict');
const Redis = require('ioredis');

const [port, path] = [Number(process.argv[2]), process.argv[3]];

async function types(redis) {
  assert.equal(await redis.set('s', 'value', 'EX', 100), 'OK');
  assert.equal(await redis.get('s'), 'value');
  assert.equal(await redis.get('nokey'), null);
  assert.equal(await redis.hset('h', {a: 1, b: 2}), 2);
  assert.deepEqual(await redis.hgetall('h'), {a: '1', b: '2'});
  assert.equal(await redis.rpush('l', 'x', 'y', 'z'), 3);
  assert.deepEqual(await redis.lrange('l', 0, -1), ['x', 'y', 'z']);
  assert.equal(await redis.sadd('t', 'm'), 1);
  assert.deepEqual(await redis.smembers('t'), ['m']);
  assert.equal(await redis.zadd('z', 1.5, 'a', 2, 'b'), 2);
  assert.deepEqual(await redis.zrange('z', 0, -1, 'WITHSCORES'), ['a', '1.5', 'b', '2']);
  assert.deepEqual(await redis.getBuffer('s'), Buffer.from('value'));
  await assert.rejects(redis.lpush('s', 'x'), /WRONGTYPE/);
}

async function pipelines(redis) {
  const results = await redis.pipeline().set('n', 1).incr('n').lpush('n', 1).exec();
  assert.equal(results[1][1], 2);
  assert.match(results[2][0].message, /WRONGTYPE/);
  assert.deepEqual(await redis.multi().incr('n').incr('n').exec(), [[null, 3], [null, 4]]);
  await redis.watch('n');
  await redis.incr('n');
  assert.equal(await redis.multi().incr('n').exec(), null);
  const many = await Promise.all(Array.from({length: 2000}, (_, i) => redis.set(`many:${i}`, i)));
  assert.equal(many.length, 2000);
}

async function scanning(redis) {
  const keys = new Set();
  for await (const page of redis.scanStream({match: 'many:*', count: 100})) page.forEach((key) => keys.add(key));
  assert.equal(keys.size, 2000);
}

async function messages(redis) {
  const subscriber = redis.duplicate();
  assert.equal(await subscriber.subscribe('a', 'b'), 2);
  const received = new Promise((resolve) => subscriber.once('message', (channel, text) => resolve([channel, text])));
  assert.equal(await redis.publish('b', 'hello'), 1);
  assert.deepEqual(await received, ['b', 'hello']);
  await subscriber.unsubscribe();
  await subscriber.quit();
}

async function main() {
  for (const target of [{port, host: '127.0.0.1'}, {path}]) {
    const redis = new Redis(target);
    await redis.flushall();
    await types(redis);
    await pipelines(redis);
    await scanning(redis);
    await messages(redis);
    assert.match(await redis.info('server'), /redis_version:/);
    await redis.quit();
  }
  console.log('all passed');
}

main().catch((error) => {
  console.error(error);
  process.exit(1);
});
