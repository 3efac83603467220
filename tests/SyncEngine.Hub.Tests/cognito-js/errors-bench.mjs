// What the checks of errors share: clients, what is prepared, and how an error is provoked and looked at.
import assert from 'node:assert/strict';
import * as identity from '@aws-sdk/client-cognito-identity';
import * as sync from '@aws-sdk/client-cognito-sync';
import { check, settings } from './harness.mjs';

export const nowhere = 'us-east-1:00000000-0000-0000-0000-00000000dead';
export const backend = 'login.game';
export const roles = {
  authenticated: 'arn:aws:iam::123456789012:role/Game_Auth',
  unauthenticated: 'arn:aws:iam::123456789012:role/Game_Unauth',
};
export const keys = { accessKeyId: settings.keyId, secretAccessKey: settings.secret };

/** A function that calls operations of the Identity API: (name, input). */
export const identityAt = (endpoint, credentials = keys) =>
  caller(identity, new identity.CognitoIdentityClient({ region: 'us-east-1', endpoint, credentials, maxAttempts: 1 }));
/** The same for the Sync API. */
export const syncAt = (endpoint, credentials = keys) =>
  caller(sync, new sync.CognitoSyncClient({ region: 'us-east-1', endpoint, credentials, maxAttempts: 1 }));
const caller = (sdk, client) => (name, input = {}) => client.send(new sdk[name + 'Command'](input));

export const ids = identityAt(settings.endpoint);
export const operator = syncAt(settings.endpoint);

export async function makePool(more = {}) {
  const { IdentityPoolId } = await ids('CreateIdentityPool', {
    IdentityPoolName: 'Errors', AllowUnauthenticatedIdentities: true, AllowClassicFlow: true, DeveloperProviderName: backend,
    OpenIdConnectProviderARNs: [settings.providerArn, settings.downProviderArn], ...more,
  });
  await ids('SetIdentityPoolRoles', { IdentityPoolId, Roles: roles });
  return IdentityPoolId;
}

/** A new guest: its id, and calls of both APIs with its credentials. */
export async function person(pool) {
  const { IdentityId } = await ids('GetId', { IdentityPoolId: pool });
  const { Credentials } = await ids('GetCredentialsForIdentity', { IdentityId });
  const own = {
    accessKeyId: Credentials.AccessKeyId, secretAccessKey: Credentials.SecretKey, sessionToken: Credentials.SessionToken,
  };
  return { id: IdentityId, sync: syncAt(settings.endpoint, own), identity: identityAt(settings.endpoint, own) };
}

// The Identity API answers with 400 whatever the caller can mend; the Sync API with what its model says.
const always = { TooManyRequestsException: 429, InternalErrorException: 500 };
const ofSync = {
  NotAuthorizedException: 403, AccessDeniedException: 403, ResourceNotFoundException: 404, ResourceConflictException: 409,
  LambdaThrottledException: 429,
};

/**
 * Declares the check that an operation fails in a documented way: by name, class, status and text.
 * `prepare` gives the call that fails; `state` gives what must be the same after it.
 */
function provoke(sdk, statuses, operation, error, prepare, state) {
  check(`${operation}: ${error}`, async () => {
    const fail = await prepare();
    const before = await state?.();
    let failure;
    try {
      const answer = await fail();
      failure = new Error(`nothing failed: ${JSON.stringify(answer)}`);
    } catch (e) {
      failure = e;
    }
    if (failure.name !== error) throw failure;
    const status = { ...always, ...statuses }[error] ?? 400;
    assert.equal(failure.$metadata.httpStatusCode, status);
    assert.equal(failure.$fault, status === 500 ? 'server' : 'client');
    // The last is what the SDK says where the service says nothing.
    assert.ok(!['', undefined, null, 'UnknownError'].includes(failure.message), 'there is no message');
    // AccessDeniedException is AWS's own and in no service's model.
    if (error !== 'AccessDeniedException') assert.ok(failure instanceof sdk[error], `no instance of ${error}`);
    if (before !== undefined) assert.deepEqual(await state(), before);
  });
}
export const ofIdentityApi = (operation, error, prepare, state) => provoke(identity, {}, operation, error, prepare, state);
export const ofSyncApi = (operation, error, prepare, state) => provoke(sync, ofSync, operation, error, prepare, state);

/** Shows state that two calls give without what differs by the call alone. */
export const shown = ({ $metadata, ...answer }) => answer;

/** Inputs that each operation of the Identity API takes, about a pool, an identity and so on. */
export const identityInputs = ({ pool, id, arn, name = 'Made', most = 10, provider = settings.provider }) => {
  const about = { IdentityPoolId: pool };
  const definition = { IdentityPoolName: name, AllowUnauthenticatedIdentities: true };
  const logins = { [settings.provider]: settings.tokens.ann };
  return {
    CreateIdentityPool: definition,
    UpdateIdentityPool: { ...about, ...definition },
    DescribeIdentityPool: about,
    DeleteIdentityPool: about,
    ListIdentityPools: { MaxResults: most },
    GetIdentityPoolRoles: about,
    SetIdentityPoolRoles: { ...about, Roles: roles },
    GetPrincipalTagAttributeMap: { ...about, IdentityProviderName: provider },
    SetPrincipalTagAttributeMap: { ...about, IdentityProviderName: provider, PrincipalTags: { mail: 'email' } },
    TagResource: { ResourceArn: arn, Tags: { a: 'b' } },
    UntagResource: { ResourceArn: arn, TagKeys: ['a'] },
    ListTagsForResource: { ResourceArn: arn },
    GetId: about,
    GetCredentialsForIdentity: { IdentityId: id },
    GetOpenIdToken: { IdentityId: id },
    UnlinkIdentity: { IdentityId: id, Logins: logins, LoginsToRemove: [settings.provider] },
    DescribeIdentity: { IdentityId: id },
    ListIdentities: { ...about, MaxResults: most },
    DeleteIdentities: { IdentityIdsToDelete: [id] },
    GetOpenIdTokenForDeveloperIdentity: { ...about, Logins: { [backend]: 'someone' } },
    LookupDeveloperIdentity: { ...about, DeveloperUserIdentifier: 'nobody' },
    MergeDeveloperIdentities: {
      ...about, DeveloperProviderName: backend, SourceUserIdentifier: 'nobody', DestinationUserIdentifier: 'nemo',
    },
    UnlinkDeveloperIdentity: { ...about, IdentityId: id, DeveloperProviderName: backend, DeveloperUserIdentifier: 'nobody' },
  };
};

/** The same for the Sync API. */
export const syncInputs = ({ pool, id, dataset = 'save', device = nowhere, platform = 'GCM', page, events = {} }) => {
  const about = { IdentityPoolId: pool };
  const whose = { ...about, IdentityId: id };
  const where = { ...whose, DatasetName: dataset };
  return {
    ListIdentityPoolUsage: { NextToken: page },
    DescribeIdentityPoolUsage: about,
    GetIdentityPoolConfiguration: about,
    SetIdentityPoolConfiguration: about,
    GetCognitoEvents: about,
    SetCognitoEvents: { ...about, Events: events },
    BulkPublish: about,
    GetBulkPublishDetails: about,
    DescribeIdentityUsage: whose,
    ListDatasets: { ...whose, NextToken: page },
    DescribeDataset: where,
    DeleteDataset: where,
    ListRecords: where,
    UpdateRecords: { ...where, SyncSessionToken: 'made up', RecordPatches: [] },
    RegisterDevice: { ...whose, Platform: platform, Token: 'token' },
    SubscribeToDataset: { ...where, DeviceId: device },
    UnsubscribeFromDataset: { ...where, DeviceId: device },
  };
};
