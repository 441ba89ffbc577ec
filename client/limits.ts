// The fixed times and limits of the client. They are in a file without imports, because a bundler then
// writes the numbers in place of their names, which makes the client smaller.

/**
 * How many enqueued jobs may lack their `job.enqueued` event. A server buffers 256 events for a
 * connection and silently drops more; 24 jobs that run at once cause 72 events.
 */
export const ENQUEUES_AHEAD = 24;

/** After this many milliseconds without a `job.enqueued`, no more of them are expected. */
export const ENQUEUE_IDLE_TIME = 250;

/** The credits that a server grants to a new connection. */
export const INITIAL_CREDITS = 1_000;

/**
 * The first grant is sent when this many credits are left. Not at once: where the runtime leaves
 * Nagle's algorithm on, as Deno does, a frame without an answer right before a request delays that
 * request until the peer's kernel acknowledges the frame, which takes up to 40 ms.
 */
export const FIRST_TOP_UP = 950;

/** How many events a server buffers for a connection. It silently drops what does not fit. */
export const BUFFER_SIZE = 256;

/**
 * A buffer that held more events than this is larger, even if the server's times are a little off.
 */
export const LARGER_BUFFER_SIZE = 264;

/** How many running jobs and runs to remember. With more, missing starts are not looked for. */
export const WATCHED_ENTITIES = 100_000;

/**
 * A job or run counts as younger than a subscription if it was created this many milliseconds after
 * the time in the server's answer. The server subscribes a moment after that time, and the clocks of a
 * cluster differ.
 */
export const AGE_MARGIN = 1_000;

/** How many runs to remember whose events may still arrive. */
export const TRACKERS = 1_000;

/** How many milliseconds an idle lane is kept for the next start. */
export const LANE_IDLE_TIME = 5_000;

/** How many idle lanes are kept. */
export const IDLE_LANES = 4;

/**
 * How many lanes listen to the events of all runs. If each lane did, the events of n starts would be
 * n² messages. Several hear what one misses, because servers drop events in a burst, and each node
 * of a cluster publishes only its own.
 */
export const LISTENERS = 8;

/** How many milliseconds a lane that is not blocked has to answer a request about its subscription. */
export const SUBSCRIBE_TIME = 1_000;

/**
 * How many milliseconds a lane may take to answer after its run has ended. A blocked lane answers no
 * ping, so this is how the loss of its peer is noticed.
 */
export const ANSWER_TIME = 5_000;

/** How often to try to open a lane. */
export const OPEN_ATTEMPTS = 3;

/** The milliseconds between the first two reads. */
export const FIRST_PAUSE = 250;

/** The most milliseconds between two reads. */
export const LONGEST_PAUSE = 5_000;

/** The record may lag behind the last event by a moment; it is read again after this time. */
export const SETTLE_PAUSE = 20;

/** How many entries a reader of the status may fall behind. */
export const STATUS_CAPACITY = 1_000;

/**
 * After this many milliseconds at most, the heartbeat checks whether the machine slept. On some
 * platforms timers stop during sleep and do not notice it.
 */
export const SLEEP_CHECK = 5_000;

/** How many milliseconds the peer has to answer a close frame. */
export const CLOSE_TIMEOUT = 1_000;

/**
 * A job that is begun anew starts more than this many milliseconds after the last event before: servers
 * wait for 30 seconds. The time of a start in a job's record comes from the clock of the database,
 * which may be ahead of the clock of the node that published the event.
 */
export const RESTART_PAUSE = 500;
