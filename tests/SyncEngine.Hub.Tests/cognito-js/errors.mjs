// Each documented error of each operation of both APIs, through the AWS SDK for JavaScript, version 3. A check is named
// "OPERATION: ERROR"; which there must be is read from the SDK by whoever runs this.
import './errors-identity.mjs';
import './errors-sync.mjs';
import './errors-internal.mjs';
import { run } from './harness.mjs';

await run();
