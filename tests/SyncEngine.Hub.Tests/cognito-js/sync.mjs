// All 17 operations of the Sync API through the AWS SDK for JavaScript, version 3: success, and refusals beside those of
// errors-sync.mjs.
import assert from 'node:assert/strict';
import * as identity from '@aws-sdk/client-cognito-identity';
import * as sdk from '@aws-sdk/client-cognito-sync';
import { calling, check, fails, run, settings } from './harness.mjs';

const region = 'us-east-1';
const developerKeys = { accessKeyId: settings.keyId, secretAccessKey: settings.secret };
const ids = new identity.CognitoIdentityClient({ region, credentials: developerKeys, maxAttempts: 1 });
const developer = new sdk.CognitoSyncClient({ region, credentials: developerKeys, maxAttempts: 1 });
const { call, left, operations } = calling(sdk);
const dev = (name, input) => call(developer, name, input);

const made = await ids.send(new identity.CreateIdentityPoolCommand({
  IdentityPoolName: 'Sync pool', AllowUnauthenticatedIdentities: true,
}));
const pool = made.IdentityPoolId;
const roleArn = 'arn:aws:iam::123456789012:role/Sync_Auth';
await ids.send(new identity.SetIdentityPoolRolesCommand({
  IdentityPoolId: pool, Roles: { authenticated: roleArn, unauthenticated: 'arn:aws:iam::123456789012:role/Sync_Unauth' },
}));

async function person() {
  const { IdentityId } = await ids.send(new identity.GetIdCommand({ IdentityPoolId: pool }));
  const { Credentials } = await ids.send(new identity.GetCredentialsForIdentityCommand({ IdentityId }));
  const client = new sdk.CognitoSyncClient({
    region, maxAttempts: 1,
    credentials: {
      accessKeyId: Credentials.AccessKeyId, secretAccessKey: Credentials.SecretKey, sessionToken: Credentials.SessionToken,
    },
  });
  const whose = { IdentityPoolId: pool, IdentityId };
  return {
    id: IdentityId,
    whose,
    do: (name, input = {}) => call(client, name, { ...whose, ...input }),
    list: (name, since) => call(client, 'ListRecords', { ...whose, DatasetName: name, LastSyncCount: since }),
    async update(name, patches, more = {}) {
      const { SyncSessionToken } = await this.list(name);
      return this.do('UpdateRecords', { DatasetName: name, SyncSessionToken, RecordPatches: patches, ...more });
    },
  };
}
const put = (Key, Value, SyncCount = 0) => ({ Op: 'replace', Key, Value, SyncCount, DeviceLastModifiedDate: new Date() });
const remove = (Key, SyncCount) => ({ Op: 'remove', Key, SyncCount });

const ann = await person();

check('ListRecords of a dataset that is not there', async () => {
  const got = await ann.list('none');
  assert.deepEqual([got.DatasetExists, got.DatasetDeletedAfterRequestedSyncCount, got.DatasetSyncCount, got.Count],
    [false, false, 0, 0]);
  assert.deepEqual([got.Records, got.MergedDatasetNames], [[], []]);
  assert.ok(got.SyncSessionToken);
});
check('UpdateRecords writes, and ListRecords reads', async () => {
  const done = await ann.update('save', [put('level', '7'), put('näme', 'Änn')]);
  assert.deepEqual(done.Records.map((one) => one.Key).sort(), ['level', 'näme']);
  assert.ok(done.Records.every((one) => one.SyncCount === done.Records[0].SyncCount && one.SyncCount > 0));
  const got = await ann.list('save');
  assert.equal(got.DatasetExists, true);
  assert.equal(got.DatasetSyncCount, done.Records[0].SyncCount);
  assert.deepEqual(Object.fromEntries(got.Records.map((one) => [one.Key, one.Value])), { level: '7', näme: 'Änn' });
  for (const one of got.Records) {
    assert.ok(one.LastModifiedDate instanceof Date && one.DeviceLastModifiedDate instanceof Date);
    assert.ok(one.LastModifiedBy);
  }
});
check('UpdateRecords: an empty string is a value, and a remove leaves no value', async () => {
  const first = await ann.update('empty', [put('a', ''), put('b', 'x')]);
  const count = first.Records[0].SyncCount;
  const removed = await ann.update('empty', [remove('b', count)]);
  assert.equal(removed.Records[0].Value, undefined);
  const got = Object.fromEntries((await ann.list('empty')).Records.map((one) => [one.Key, one.Value]));
  assert.equal(got.a, '');
  assert.equal(got.b, undefined);
  const since = await ann.list('empty', count);
  assert.deepEqual(since.Records.map((one) => [one.Key, one.Value]), [['b', undefined]]);
});
check('UpdateRecords: ResourceConflict tells both counts, and nothing is written', async () => {
  const first = await ann.update('conflict', [put('k', 'one')]);
  const count = first.Records[0].SyncCount;
  await fails(ann.update('conflict', [put('new', 'x'), put('k', 'two', count + 6)]), 'ResourceConflictException',
    { status: 409, text: `Current SyncCount for: k is: ${count} not: ${count + 6}` });
  assert.deepEqual((await ann.list('conflict')).Records.map((one) => [one.Key, one.Value]), [['k', 'one']]);
  await ann.update('conflict', [put('k', 'two', count)]);
});
check('UpdateRecords: InvalidParameter for a wrong session token', () => fails(ann.do('UpdateRecords', {
  DatasetName: 'save', SyncSessionToken: 'made-up', RecordPatches: [put('x', 'y')],
}), 'InvalidParameterException', { status: 400 }));
check('UpdateRecords: LimitExceeded for the 1,025th record, and nothing is written', async () => {
  const bob = await person();
  const many = Array.from({ length: 1025 }, (_, i) => put('k' + i, 'v'));
  await fails(bob.update('big', many), 'LimitExceededException', { status: 400 });
  assert.equal((await bob.list('big')).Count, 0);
  await bob.update('big', many.slice(0, 1024));
  assert.equal((await dev('DescribeDataset', { ...bob.whose, DatasetName: 'big' })).Dataset.NumRecords, 1024);
});
check('UpdateRecords: LimitExceeded for the 21st dataset', async () => {
  const bob = await person();
  for (let i = 0; i < 20; i++) await bob.update('set' + i, [put('k', 'v')]);
  await fails(bob.update('set20', [put('k', 'v')]), 'LimitExceededException', { status: 400 });
  assert.equal((await bob.do('ListDatasets')).Count, 20);
});
check('ListRecords: InvalidParameter for a count that never was', () => fails(
  ann.list('save', 4711), 'InvalidParameterException',
  { status: 400, text: 'No such SyncCount: 4711 exists for this Dataset' }));
check('ListRecords gives pages that belong together', async () => {
  const bob = await person();
  await bob.update('pages', Array.from({ length: 10 }, (_, i) => put('k' + i, 'v' + i)));
  const seen = [];
  let token;
  do {
    const page = await bob.do('ListRecords', { DatasetName: 'pages', MaxResults: 3, NextToken: token });
    seen.push(...page.Records.map((one) => one.Key));
    token = page.NextToken;
  } while (token);
  assert.deepEqual(seen.sort(), Array.from({ length: 10 }, (_, i) => 'k' + i));
});
check('A dataset name may be anything but dots, with colons and dots in it', async () => {
  await ann.update('My_data-1.x:y', [put('k', 'v')]);
  assert.equal((await ann.list('My_data-1.x:y')).Count, 1);
  for (const name of ['.', '..', 'a b', 'a/b', 'ä']) {
    await fails(ann.list(name), 'InvalidParameterException', { status: 400 });
  }
});
check('DescribeDataset tells size and dates', async () => {
  const { Dataset } = await ann.do('DescribeDataset', { DatasetName: 'save' });
  assert.deepEqual([Dataset.DatasetName, Dataset.IdentityId, Dataset.NumRecords], ['save', ann.id, 2]);
  assert.equal(Dataset.DataStorage, Buffer.byteLength('level7nämeÄnn'));
  assert.ok(Dataset.CreationDate instanceof Date && Dataset.LastModifiedDate >= Dataset.CreationDate);
});
check('ListDatasets gives pages', async () => {
  const bob = await person();
  for (const name of ['a', 'b', 'c']) await bob.update(name, [put('k', 'v')]);
  const seen = [];
  let token;
  do {
    const page = await bob.do('ListDatasets', { MaxResults: 2, NextToken: token });
    seen.push(...page.Datasets.map((one) => one.DatasetName));
    token = page.NextToken;
  } while (token);
  assert.deepEqual(seen, ['a', 'b', 'c']);
});
check('DeleteDataset deletes, and an old count is told of it', async () => {
  const done = await ann.update('doomed', [put('k', 'v')]);
  const count = done.Records[0].SyncCount;
  const { Dataset } = await ann.do('DeleteDataset', { DatasetName: 'doomed' });
  assert.equal(Dataset.DatasetName, 'doomed');
  const gone = await ann.list('doomed', count);
  assert.deepEqual([gone.DatasetExists, gone.DatasetDeletedAfterRequestedSyncCount], [false, true]);
  await ann.update('doomed', [put('k', 'again', gone.Records[0]?.SyncCount ?? 0)]);
  const anew = await ann.list('doomed', count);
  assert.deepEqual([anew.DatasetExists, anew.DatasetDeletedAfterRequestedSyncCount], [true, true]);
});
check('DescribeIdentityUsage counts', async () => {
  const bob = await person();
  await bob.update('one', [put('key', 'value')]);
  const { IdentityUsage } = await bob.do('DescribeIdentityUsage');
  const { IdentityId, IdentityPoolId, DatasetCount, DataStorage } = IdentityUsage;
  assert.deepEqual([IdentityId, IdentityPoolId, DatasetCount, DataStorage], [bob.id, pool, 1, 8]);
});
check('DescribeIdentityPoolUsage and ListIdentityPoolUsage count', async () => {
  const { IdentityPoolUsage } = await dev('DescribeIdentityPoolUsage', { IdentityPoolId: pool });
  assert.equal(IdentityPoolUsage.IdentityPoolId, pool);
  assert.ok(IdentityPoolUsage.DataStorage > 0 && IdentityPoolUsage.SyncSessionsCount > 0);
  const all = await dev('ListIdentityPoolUsage', { MaxResults: 60 });
  assert.ok(all.IdentityPoolUsages.some((one) => one.IdentityPoolId === pool));
  assert.equal(all.Count, all.IdentityPoolUsages.length);
});
check('SetIdentityPoolConfiguration and GetIdentityPoolConfiguration round-trip', async () => {
  const PushSync = { ApplicationArns: ['arn:aws:sns:us-east-1:123456789012:app/GCM/game'], RoleArn: roleArn };
  const CognitoStreams = { StreamName: 'changes', RoleArn: roleArn, StreamingStatus: 'ENABLED' };
  const set = await dev('SetIdentityPoolConfiguration', { IdentityPoolId: pool, PushSync, CognitoStreams });
  assert.deepEqual([set.IdentityPoolId, set.PushSync, set.CognitoStreams], [pool, PushSync, CognitoStreams]);
  const got = await dev('GetIdentityPoolConfiguration', { IdentityPoolId: pool });
  assert.deepEqual([got.PushSync, got.CognitoStreams], [PushSync, CognitoStreams]);
});
let device;
check('RegisterDevice gives a device its id', async () => {
  ({ DeviceId: device } = await ann.do('RegisterDevice', { Platform: 'GCM', Token: 'token-of-ann' }));
  assert.ok(device);
  assert.equal((await ann.do('RegisterDevice', { Platform: 'GCM', Token: 'token-of-ann' })).DeviceId, device);
});
check('RegisterDevice: refused to a developer', () => fails(
  dev('RegisterDevice', { ...ann.whose, Platform: 'GCM', Token: 't' }), 'AccessDeniedException', { status: 403 }));
check('SubscribeToDataset and UnsubscribeFromDataset', async () => {
  await ann.do('SubscribeToDataset', { DatasetName: 'save', DeviceId: device });
  await ann.do('UnsubscribeFromDataset', { DatasetName: 'save', DeviceId: device });
});
check('SetCognitoEvents and GetCognitoEvents round-trip', async () => {
  assert.deepEqual((await dev('GetCognitoEvents', { IdentityPoolId: pool })).Events, {});
  const Events = { SyncTrigger: 'arn:aws:lambda:us-east-1:123456789012:function:guard' };
  await dev('SetCognitoEvents', { IdentityPoolId: pool, Events });
  assert.deepEqual((await dev('GetCognitoEvents', { IdentityPoolId: pool })).Events, Events);
});
check('The function of SyncTrigger rewrites what is written', async () => {
  await ann.update('triggered', [put('cheat', '999')]);
  assert.deepEqual((await ann.list('triggered')).Records.map((one) => [one.Key, one.Value]), [['cheat', '999 (seen)']]);
});
check('SetCognitoEvents takes the function away', async () => {
  await dev('SetCognitoEvents', { IdentityPoolId: pool, Events: {} });
  await ann.update('plain', [put('k', 'v')]);
});
check('BulkPublish runs once a day, and GetBulkPublishDetails tells of it', async () => {
  assert.equal((await dev('GetBulkPublishDetails', { IdentityPoolId: pool })).BulkPublishStatus, 'NOT_STARTED');
  assert.equal((await dev('BulkPublish', { IdentityPoolId: pool })).IdentityPoolId, pool);
  for (;;) {
    const told = await dev('GetBulkPublishDetails', { IdentityPoolId: pool });
    assert.ok(told.BulkPublishStartTime instanceof Date);
    if (told.BulkPublishStatus === 'SUCCEEDED') break;
    assert.equal(told.BulkPublishStatus, 'IN_PROGRESS');
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  await fails(dev('BulkPublish', { IdentityPoolId: pool }), 'AlreadyStreamedException', { status: 400 });
});
check('All 17 operations have succeeded', () => {
  assert.equal(operations.length, 17);
  assert.deepEqual(left(), []);
});

await run();
