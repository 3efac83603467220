// The sync manager of old JavaScript apps (amazon-cognito-js on aws-sdk, version 2), unmodified: each device keeps its data in a
// store of its own, as browsers do in their local storage.
import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import { check, run, settings } from './harness.mjs';

process.env.AWS_SDK_JS_SUPPRESS_MAINTENANCE_MODE_MESSAGE = '1';
const require = createRequire(import.meta.url);
const AWS = require('aws-sdk');
require('amazon-cognito-js');

const { endpoint } = settings;
AWS.config.update({ region: 'us-east-1', cognitosync: { endpoint }, cognitoidentity: { endpoint }, sts: { endpoint } });

/** What browsers call local storage. */
class Shelf {
  #items = new Map();
  getItem(key) { return this.#items.has(key) ? this.#items.get(key) : null; }
  setItem(key, value) { this.#items.set(key, String(value)); }
  removeItem(key) { this.#items.delete(key); }
}

/** A device: whoever it is now, and its local storage, which is what stays. */
class Device {
  shelf = new Shelf();
  async enter(params) {
    const credentials = new AWS.CognitoIdentityCredentials({ IdentityPoolId: settings.pool, ...params });
    await new Promise((resolve, reject) => credentials.get((error) => (error ? reject(error) : resolve())));
    AWS.config.credentials = credentials;
    globalThis.window = { localStorage: this.shelf };
    this.manager = new AWS.CognitoSyncManager();
    this.credentials = credentials;
    return credentials.identityId;
  }
  async open(name) {
    AWS.config.credentials = this.credentials;
    const dataset = await promised((done) => this.manager.openOrCreateDataset(name, done));
    return {
      raw: dataset,
      put: (key, value) => promised((done) => dataset.put(key, value, done)),
      remove: (key) => promised((done) => dataset.remove(key, done)),
      get: (key) => promised((done) => dataset.get(key, done)),
      sync: (handlers = {}) => new Promise((resolve, reject) => dataset.synchronize({
        onSuccess: (_, records) => resolve(records), onFailure: reject, ...handlers,
      })),
    };
  }
}
const promised = (call) => new Promise((resolve, reject) => call((error, data) => (error ? reject(error) : resolve(data))));
const logins = (person) => ({ Logins: { [settings.provider]: settings.tokens[person] } });

check('Two devices of one person sync through the hub', async () => {
  const [one, two] = [new Device(), new Device()];
  const id = await one.enter(logins('ann'));
  assert.equal(await two.enter(logins('ann')), id);
  const here = await one.open('save');
  await here.put('level', '7');
  await here.sync();
  const there = await two.open('save');
  await there.sync();
  assert.equal(await there.get('level'), '7');
  await there.put('level', '8');
  await there.sync();
  await here.sync();
  assert.equal(await here.get('level'), '8');
});
check('A conflict comes to onConflict, and what it resolves goes to both', async () => {
  const [one, two] = [new Device(), new Device()];
  await one.enter(logins('bob'));
  await two.enter(logins('bob'));
  const [here, there] = [await one.open('save'), await two.open('save')];
  await here.put('name', 'first');
  await here.sync();
  await there.sync();
  await here.put('name', 'mine');
  await here.sync();
  await there.put('name', 'theirs');
  let conflicts = 0;
  await there.sync({
    onConflict: (dataset, found, done) => {
      conflicts += found.length;
      assert.deepEqual([found[0].getLocalRecord().getValue(), found[0].getRemoteRecord().getValue()], ['theirs', 'mine']);
      dataset.resolve(found.map((one) => one.resolveWithValue('both')), () => done(true));
    },
  });
  assert.equal(conflicts, 1);
  await there.sync();
  await here.sync();
  assert.deepEqual([await here.get('name'), await there.get('name')], ['both', 'both']);
});
check('A conflict that is declined leaves nothing locked', async () => {
  const [one, two] = [new Device(), new Device()];
  await one.enter(logins('cara'));
  await two.enter(logins('cara'));
  const [here, there] = [await one.open('save'), await two.open('save')];
  await here.put('k', 'a');
  await here.sync();
  await there.put('k', 'b');
  await assert.rejects(there.sync());
  await there.sync({
    onConflict: (dataset, found, done) => dataset.resolve(found.map((one) => one.resolveWithRemoteRecord()), () => done(true)),
  });
  assert.equal(await there.get('k'), 'a');
});
check('A removed record is gone on the other device', async () => {
  const [one, two] = [new Device(), new Device()];
  await one.enter(logins('dan'));
  await two.enter(logins('dan'));
  const [here, there] = [await one.open('save'), await two.open('save')];
  await here.put('keep', '1');
  await here.put('gone', '2');
  await here.sync();
  await there.sync();
  await here.remove('gone');
  await here.sync();
  await there.sync();
  assert.equal(await there.get('keep'), '1');
  assert.ok(!(await there.get('gone')));
});
check('A dataset that was deleted comes to onDatasetDeleted', async () => {
  const [one, two] = [new Device(), new Device()];
  await one.enter(logins('eva'));
  await two.enter(logins('eva'));
  const [here, there] = [await one.open('save'), await two.open('save')];
  await here.put('k', 'v');
  await here.sync();
  await there.sync();
  AWS.config.credentials = one.credentials;
  await promised((done) => one.manager.remote.deleteDataset('save', done));
  let told;
  await assert.rejects(there.sync({
    onDatasetDeleted: (_, name, done) => {
      told = name;
      done(false);
    },
  }));
  assert.equal(told, 'save');
});
check('A guest who logs in keeps its data', async () => {
  const device = new Device();
  const guest = await device.enter({});
  const before = await device.open('save');
  await before.put('coins', '5');
  await before.sync();
  assert.equal(await device.enter({ IdentityId: guest, ...logins('finn') }), guest);
  const fresh = new Device();
  await fresh.enter(logins('finn'));
  const seen = await fresh.open('save');
  await seen.sync();
  assert.equal(await seen.get('coins'), '5');
});
check('A guest who logs into a known account finds its data as a merged dataset, until that is deleted', async () => {
  const home = new Device();
  const account = await home.enter(logins('gina'));
  const owned = await home.open('save');
  await owned.put('coins', '100');
  await owned.sync();
  const device = new Device();
  const guest = await device.enter({});
  const before = await device.open('save');
  await before.put('coins', '5');
  await before.sync();
  assert.equal(await device.enter({ IdentityId: guest, ...logins('gina') }), account);
  const save = await device.open('save');
  let merged;
  await assert.rejects(save.sync({
    onDatasetsMerged: (_, names, done) => {
      merged = names;
      done(false);
    },
  }));
  assert.deepEqual(merged, [`save.${guest}`]);
  const aside = await device.manager.remote;
  const records = await promised((done) => aside.listUpdates(merged[0], 0, done));
  assert.deepEqual(records.getRecords().map((one) => [one.getKey(), one.getValue()]), [['coins', '5']]);
  await promised((done) => aside.deleteDataset(merged[0], done));
  const again = await device.open('save');
  await again.sync();
  assert.equal(await again.get('coins'), '100');
});
check('The classic flow with its account and roles syncs too', async () => {
  const device = new Device();
  await device.enter({ AccountId: '123456789012', RoleArn: settings.guestRole });
  const save = await device.open('save');
  await save.put('classic', 'yes');
  await save.sync();
  const again = await promised((done) => device.manager.remote.listUpdates('save', 0, done));
  assert.deepEqual(again.getRecords().map((one) => [one.getKey(), one.getValue()]), [['classic', 'yes']]);
});

await run();
