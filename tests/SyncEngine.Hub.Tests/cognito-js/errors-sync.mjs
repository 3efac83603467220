// Each documented error of the Sync API.
import assert from 'node:assert/strict';
import { makePool, nowhere, ofSyncApi, operator, person, roles, shown, syncAt, syncInputs } from './errors-bench.mjs';
import { settings } from './harness.mjs';

const pool = await makePool();
const about = { IdentityPoolId: pool };
const ann = await person(pool);
const eve = await person(pool);
const whose = { ...about, IdentityId: ann.id };
const where = { ...whose, DatasetName: 'save' };
const put = (Key, Value, SyncCount = 0) => ({ Op: 'replace', Key, Value, SyncCount });
const session = async (input) => (await ann.sync('ListRecords', input)).SyncSessionToken;
const update = async (DatasetName, ...RecordPatches) => {
  const SyncSessionToken = await session({ ...whose, DatasetName });
  return () => ann.sync('UpdateRecords', { ...whose, DatasetName, SyncSessionToken, RecordPatches });
};
const PushSync = { ApplicationArns: ['arn:aws:sns:us-east-1:123456789012:app/GCM/game'], RoleArn: roles.authenticated };
const stream = (StreamName) => ({ StreamName, RoleArn: roles.authenticated, StreamingStatus: 'ENABLED' });
await operator('SetIdentityPoolConfiguration', { ...about, PushSync, CognitoStreams: stream('changes') });
await (await update('save', put('k', 'v')))();
const { DeviceId } = await ann.sync('RegisterDevice', { ...whose, Platform: 'GCM', Token: 'token-of-ann' });

/** All that the calls of this API could change, but for the sessions that reading it begins. */
const state = async () => {
  const { $metadata, SyncSessionToken, ...records } = await operator('ListRecords', where);
  return {
    records,
    datasets: shown(await operator('ListDatasets', whose)),
    usage: shown(await operator('DescribeIdentityUsage', whose)),
    configuration: shown(await operator('GetIdentityPoolConfiguration', about)),
    events: shown(await operator('GetCognitoEvents', about)),
    bulk: shown(await operator('GetBulkPublishDetails', about)),
  };
};
const provoke = (operation, error, prepare) => ofSyncApi(operation, error, prepare, state);
const ofPools = [
  'DescribeIdentityPoolUsage', 'GetIdentityPoolConfiguration', 'SetIdentityPoolConfiguration', 'GetCognitoEvents',
  'SetCognitoEvents', 'BulkPublish', 'GetBulkPublishDetails',
];
const ofDatasets = ['DescribeDataset', 'DeleteDataset', 'ListRecords', 'UpdateRecords'];
const ofDevices = ['SubscribeToDataset', 'UnsubscribeFromDataset'];
const each = (error, call, operations, place) => {
  const inputs = syncInputs({ pool, id: ann.id, device: DeviceId, ...place });
  for (const operation of operations) provoke(operation, error, () => () => call(operation, inputs[operation]));
};

each('InvalidParameterException', operator, ofPools, { pool: 'no id' });
each('InvalidParameterException', operator, ['DescribeIdentityUsage'], { id: 'no id' });
each('InvalidParameterException', operator, ['ListIdentityPoolUsage', 'ListDatasets'], { page: 'made up' });
each('InvalidParameterException', ann.sync, [...ofDatasets, ...ofDevices], { dataset: 'a b' });
each('InvalidParameterException', ann.sync, ['RegisterDevice'], { platform: 'PIGEON' });
each('ResourceNotFoundException', operator, ofPools, { pool: nowhere });
each('ResourceNotFoundException', operator, ['DescribeIdentityUsage', 'UpdateRecords'], { id: nowhere });
each('ResourceNotFoundException', operator, ['DescribeDataset', 'DeleteDataset'], { dataset: 'none' });
each('ResourceNotFoundException', ann.sync, ofDevices, { device: nowhere });
each('NotAuthorizedException', eve.sync, ['DescribeIdentityUsage', 'ListDatasets', 'RegisterDevice', ...ofDatasets, ...ofDevices]);
each('AccessDeniedException', ann.sync, [...ofPools, 'ListIdentityPoolUsage']);
const limited = syncAt(settings.limited);
for (const [operation, input] of Object.entries(syncInputs({ pool, id: ann.id })))
  if (operation !== 'BulkPublish' && operation !== 'GetBulkPublishDetails')
    ofSyncApi(operation, 'TooManyRequestsException', () => () => limited(operation, input));

provoke('UpdateRecords', 'ResourceConflictException', () => update('save', put('new', 'x'), put('k', 'two', 6)));
provoke('UpdateRecords', 'LimitExceededException',
  () => update('big', ...Array.from({ length: 1025 }, (_, i) => put('k' + i, 'v'))));
const guarded = async (key) => {
  await operator('SetCognitoEvents', { ...about, Events: { SyncTrigger: 'arn:aws:lambda:us-east-1:123456789012:function:guard' } });
  return update('save', put(key, 'x'));
};
provoke('UpdateRecords', 'InvalidLambdaFunctionOutputException', () => guarded('garble'));
provoke('UpdateRecords', 'LambdaThrottledException', () => guarded('busy'));

provoke('RegisterDevice', 'InvalidConfigurationException',
  () => () => ann.sync('RegisterDevice', { ...whose, Platform: 'APNS', Token: 'a'.repeat(64) }));
provoke('SubscribeToDataset', 'InvalidConfigurationException', async () => {
  await operator('SetIdentityPoolConfiguration', { ...about, PushSync: { ApplicationArns: [] } });
  return () => ann.sync('SubscribeToDataset', { ...where, DeviceId });
});

provoke('BulkPublish', 'AlreadyStreamedException', async () => {
  await operator('BulkPublish', about);
  for (;;) {
    const { BulkPublishStatus } = await operator('GetBulkPublishDetails', about);
    if (BulkPublishStatus === 'SUCCEEDED') break;
    assert.equal(BulkPublishStatus, 'IN_PROGRESS');
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  return () => operator('BulkPublish', about);
});
provoke('BulkPublish', 'DuplicateRequestException', async () => {
  const other = { IdentityPoolId: await makePool() };
  const bob = await person(other.IdentityPoolId);
  const his = { ...other, IdentityId: bob.id, DatasetName: 'save' };
  const { SyncSessionToken } = await bob.sync('ListRecords', his);
  await bob.sync('UpdateRecords', { ...his, SyncSessionToken, RecordPatches: [put('k', 'v')] });
  await operator('SetIdentityPoolConfiguration', { ...other, CognitoStreams: stream('held') });
  await operator('BulkPublish', other);
  return async () => {
    try {
      return await operator('BulkPublish', other);
    } finally {
      await fetch(settings.outside + 'release');
    }
  };
});
