// InternalErrorException of each operation of both APIs: the hub's disk cannot be read, or not be written, or its clock fails.
import assert from 'node:assert/strict';
import { identityAt, identityInputs, ofIdentityApi, ofSyncApi, syncAt, syncInputs } from './errors-bench.mjs';
import { settings } from './harness.mjs';

const { endpoint, fault, pool, id, keyId, secret, token } = settings.broken;
const own = { accessKeyId: keyId, secretAccessKey: secret, sessionToken: token };
const ids = identityAt(endpoint);
const operator = syncAt(endpoint);
const guest = syncAt(endpoint, own);
const arn = `arn:aws:cognito-identity:us-east-1:123456789012:identitypool/${pool}`;
const inputs = { ...identityInputs({ pool, id, arn }), ...syncInputs({ pool, id, events: { SyncTrigger: '' } }) };
const ofGuests = ['RegisterDevice', 'SubscribeToDataset', 'UnsubscribeFromDataset'];
const set = async (state) => assert.equal((await fetch(fault + state)).status, 200);

const declare = (operation, prepare) => {
  const isIdentity = operation in identityInputs({});
  const call = isIdentity ? ids : ofGuests.includes(operation) ? guest : operator;
  (isIdentity ? ofIdentityApi : ofSyncApi)(operation, 'InternalErrorException', async () => {
    const more = await prepare();
    return () => call(operation, { ...inputs[operation], ...more });
  });
};

// What these tell is in memory, where no disk can fail them: the clock does.
const inMemory = [
  'DescribeIdentityPool', 'ListIdentityPools', 'GetIdentityPoolRoles', 'GetPrincipalTagAttributeMap', 'ListTagsForResource',
  'GetIdentityPoolConfiguration', 'GetCognitoEvents', 'BulkPublish', 'GetBulkPublishDetails',
];
// A disk that is full refuses what these would write; all else needs to read first. The hub has just been started.
const writers = [
  'UpdateRecords', 'CreateIdentityPool', 'UpdateIdentityPool', 'SetIdentityPoolRoles', 'SetPrincipalTagAttributeMap',
  'TagResource', 'UntagResource', 'SetIdentityPoolConfiguration', 'SetCognitoEvents', 'GetId',
  'GetOpenIdTokenForDeveloperIdentity', 'DeleteIdentities', 'DeleteIdentityPool',
];
for (const operation of inMemory) declare(operation, () => set('timeless'));
for (const operation of Object.keys(inputs))
  if (!writers.includes(operation) && !inMemory.includes(operation)) declare(operation, () => set('unreadable'));

let isFull = false;
for (const operation of writers) {
  declare(operation, async () => {
    if (isFull) return {};
    await set('healthy');
    const { Identities } = await ids('ListIdentities', { IdentityPoolId: pool, MaxResults: 60 });
    assert.deepEqual(Identities.map((one) => one.IdentityId), [id], 'a call that failed has changed something');
    const { SyncSessionToken } = await operator('ListRecords', inputs.ListRecords);
    await set('full');
    isFull = true;
    return { SyncSessionToken, RecordPatches: [{ Op: 'replace', Key: 'k', Value: 'v', SyncCount: 0 }] };
  });
}
