/**
 * Characters that a receiver may take for malformed: the control characters U+0001 to U+001F and U+007F to U+009F, and the
 * code points that Unicode has no character for, such as U+FFFF [MQTT311 1.5.3; MQTT5 1.5.4]. U+0000 never is allowed.
 */
const DISALLOWED = /[\p{Cc}\p{Noncharacter_Code_Point}]/u;

/** Whether a name that others will read (client id, user name, topic, filter) holds such a character. */
export const holdsControl = (text: string): boolean => DISALLOWED.test(text);
