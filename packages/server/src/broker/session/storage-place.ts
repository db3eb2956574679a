/**
 * Where a message of QoS 1 is kept until it is acknowledged, as one number: hundreds of them lie in tables of numbers.
 * Above 0 it is the sequence of a row on disk, below 0 the number of an assignment ({@link placeOfAssignment}).
 */

export type StoragePlace = number;

/** It is kept nowhere but in memory. */
export const IN_MEMORY: StoragePlace = 0;

export const isOnDisk = (place: StoragePlace): boolean => place > 0;

/** Whether a queue or an assignment has to hear that the message was acknowledged. */
export const isKept = (place: StoragePlace): boolean => place !== IN_MEMORY;

/** The place of what a shared subscription has assigned to a session without a queue on disk, numbered from 1 on. */
export const placeOfAssignment = (number: number): StoragePlace => -number;
