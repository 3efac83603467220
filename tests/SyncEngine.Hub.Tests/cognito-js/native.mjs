// One device of a person whose other device uses the native protocol: what it does is told by settings.phase.
import assert from 'node:assert/strict';
import * as identity from '@aws-sdk/client-cognito-identity';
import * as sync from '@aws-sdk/client-cognito-sync';
import { check, run, settings } from './harness.mjs';

const region = 'us-east-1';
const nobody = { accessKeyId: 'AKIDNOBODY', secretAccessKey: 'x' };
const ids = new identity.CognitoIdentityClient({ region, credentials: nobody });
const Logins = { [settings.provider]: settings.tokens.hugo };
const { IdentityId } = await ids.send(new identity.GetIdCommand({ IdentityPoolId: settings.pool, Logins }));
const { Credentials } = await ids.send(new identity.GetCredentialsForIdentityCommand({ IdentityId, Logins }));
const client = new sync.CognitoSyncClient({
  region,
  credentials: {
    accessKeyId: Credentials.AccessKeyId, secretAccessKey: Credentials.SecretKey, sessionToken: Credentials.SessionToken,
  },
});
const where = { IdentityPoolId: settings.pool, IdentityId, DatasetName: 'save' };
const put = (Key, Value, SyncCount) => ({ Op: 'replace', Key, Value, SyncCount });
const list = () => client.send(new sync.ListRecordsCommand(where));
const update = async (patches) => client.send(new sync.UpdateRecordsCommand({
  ...where, SyncSessionToken: (await list()).SyncSessionToken, RecordPatches: patches,
}));

check(`${settings.phase}`, async () => {
  if (settings.phase === 'writes first') {
    await update([put('level', '1', 0), put('old', 'x', 0)]);
    return;
  }
  const { Records } = await list();
  const seen = Object.fromEntries(Records.map((one) => [one.Key, one.Value]));
  assert.deepEqual(seen, { level: '2', old: undefined, coins: '30', native: 'yes' });
  await assert.rejects(update([put('level', 'stale', 1)]), { name: 'ResourceConflictException' });
  const count = Records.find((one) => one.Key === 'level').SyncCount;
  await update([put('level', '3', count)]);
});

await run();
