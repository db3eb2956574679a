/** Principals of AWS IoT's services, as trust policies and permissions of functions name them. */

/** AWS IoT itself: rules, provisioning, authorizers, certificate callbacks. */
export const IOT_SERVICE = 'iot.amazonaws.com';
/** The credential provider of devices. */
export const CREDENTIALS_SERVICE = 'credentials.iot.amazonaws.com';
/** Lambda, for the roles of functions. */
export const LAMBDA_SERVICE = 'lambda.amazonaws.com';
