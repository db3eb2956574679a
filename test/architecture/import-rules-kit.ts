/** The rules of imports of the kit: what each folder of packages/kit/src may import, and why. */
import { type FolderRule, folderRule } from './folder-rule.ts';

const ELEMENT_BASE = ['elements/', 'files/', 'buses/', 'clock.ts'];

export const KIT_FOLDERS: Readonly<Record<string, FolderRule>> = {
  'clock.ts': folderRule('the clock knows nothing', []),
  'files/': folderRule('files are written here so that nothing is lost', [], ['fs', 'path', 'sqlite']),
  'elements/': folderRule('the contract knows no kind of element', [], ['crypto'], ['@noble/curves', '@thingkeep/x509']),
  'elements/file/': folderRule('a kind of element knows the contract alone', ['elements/', 'files/'], ['crypto', 'fs', 'path']),
  'elements/pkcs11/': folderRule(
    'a kind of element knows the contract alone; the native module is in a process of its own',
    ['elements/', 'native/'],
    ['child_process', 'crypto', 'events', 'fs', 'path', 'url'],
    ['koffi', '@thingkeep/x509'],
  ),
  'elements/atecc/': folderRule(
    'a driver knows its bus, and never the virtual chip: both would share one misreading',
    ELEMENT_BASE,
    ['crypto'],
    ['@thingkeep/x509'],
  ),
  'elements/optiga/': folderRule(
    'a driver knows its bus, and never the virtual chip: both would share one misreading',
    ELEMENT_BASE,
    ['crypto'],
    ['@thingkeep/x509'],
  ),
  'native/': folderRule(
    'what calls native code runs in a process of its own, and is called from here alone',
    ['elements/', 'buses/'],
    ['child_process', 'events', 'fs', 'os', 'path', 'url'],
    ['koffi'],
  ),
  'buses/': folderRule(
    'a bus knows transfers, and nothing of what they mean',
    ['elements/', 'native/', 'virtual-chips/contract.ts'],
    ['events', 'fs', 'net', 'timers/promises'],
  ),
  'virtual-chips/': folderRule(
    'a virtual chip knows its bus, and never the driver: both would share one misreading',
    ['buses/', 'clock.ts', 'elements/', 'files/', 'sockets/', 'virtual-chips/optiga/'],
    ['crypto', 'events', 'fs', 'net'],
    ['@thingkeep/x509'],
  ),
  'virtual-chips/optiga/': folderRule(
    'a virtual chip knows its bus, and never the driver: both would share one misreading',
    ['buses/', 'elements/', 'virtual-chips/'],
    ['crypto'],
    ['@thingkeep/x509'],
  ),
  'sockets/': folderRule('a socket knows nothing of what goes over it', [], ['events', 'fs', 'net']),
  'certificates/': folderRule('certificates know nothing of where keys are', ['elements/'], ['crypto'], ['@thingkeep/x509']),
  'open-element.ts': folderRule(
    'opens every kind of element',
    [
      ...['elements/', 'elements/file/', 'elements/pkcs11/', 'elements/atecc/', 'elements/optiga/'],
      ...['buses/', 'virtual-chips/', 'virtual-chips/optiga/'],
    ],
    ['crypto'],
  ),
  'ceremony/': folderRule(
    'a ceremony is files and signatures; what asks AWS IoT is handed in',
    ['certificates/', 'clock.ts', 'elements/', 'files/'],
    ['crypto', 'fs', 'path'],
    ['@thingkeep/x509'],
  ),
  'service/': folderRule(
    'AWS IoT, and a Thingkeep, are asked from here alone',
    [],
    ['crypto'],
    ['@aws-sdk/client-iot', '@smithy/signature-v4'],
  ),
  'doctor/': folderRule(
    'the doctor looks, and changes nothing',
    ['elements/'],
    ['crypto', 'dns/promises', 'events', 'net', 'tls'],
    ['@thingkeep/x509'],
  ),
  'zero-touch/': folderRule(
    'a board works with an element, whichever it is',
    ['certificates/', 'elements/', 'sockets/'],
    ['events', 'fs', 'net'],
    ['@thingkeep/x509'],
  ),
  'provisioning/': folderRule(
    'provisioning works with elements, whichever they are',
    ['ceremony/', 'certificates/', 'clock.ts', 'elements/', 'elements/optiga/', 'files/', 'service/', 'zero-touch/'],
    ['crypto', 'fs', 'path'],
    ['@thingkeep/x509'],
  ),
  'agent/': folderRule(
    'the agent works with an element, whichever it is',
    ['certificates/', 'clock.ts', 'elements/', 'files/'],
    ['child_process', 'crypto', 'events', 'fs', 'fs/promises', 'http', 'https', 'path', 'timers/promises', 'tls'],
    ['@thingkeep/x509', 'aws-iot-device-sdk-v2'],
  ),
  'commands/': folderRule(
    'a command puts parts together, and says what came of it',
    [
      ...['agent/', 'buses/', 'ceremony/', 'certificates/', 'clock.ts', 'elements/', 'elements/atecc/', 'elements/optiga/'],
      ...['files/', 'open-element.ts', 'provisioning/', 'service/', 'virtual-chips/', 'zero-touch/', 'doctor/'],
    ],
    ['child_process', 'crypto', 'events', 'fs', 'path', 'readline', 'url', 'util'],
    ['@aws-sdk/client-iot', '@thingkeep/x509'],
  ),
  'drop-in/': folderRule(
    "programs with the flags of others' tools put parts together, as commands do",
    ['certificates/', 'commands/', 'elements/', 'elements/optiga/', 'files/', 'open-element.ts'],
    ['child_process', 'crypto', 'fs', 'path'],
    ['@thingkeep/x509'],
  ),
  'main.ts': folderRule('the first module', ['commands/']),
};
