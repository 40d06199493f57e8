// Times as they are told.

/** Time of day, to the millisecond. */
export const clock = (at) => new Date(at).toISOString().slice(11, 23);

/** A span in seconds. */
export const seconds = (ms) => (Number.isFinite(ms) ? (ms / 1000).toFixed(2) : "never");
