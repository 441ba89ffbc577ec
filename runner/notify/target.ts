import type { Fields } from "../language/field.ts";
import type { Notice } from "../health/model.ts";
import type { NoticeBody } from "./message.ts";

/** A request that tells a target of a notice. */
export interface NoticeRequest {
  /** The address. A user and password in it are sent as basic authentication. */
  url: string;
  /**
   * The method.
   * @default {"POST"}
   */
  method?: string;
  /** The headers. */
  headers: Record<string, string>;
  /** The body. */
  body: string;
}

/** Why a target was not told. */
export interface Problem {
  /** The reason, without the address. */
  text: string;
  /** Whether another attempt would fail too. */
  final: boolean;
  /** How long the target asks to wait before another attempt, in milliseconds. */
  wait?: number;
}

/** A notice with what a target may show besides. Its texts hold no secret and no control character. */
export interface Message {
  /** The notice. */
  notice: Notice;
  /** The whole message in one line. */
  text: string;
  /** The address of the check's page, if there is one. */
  link?: string;
}

/** Settings of a delivery that is no request. */
export interface DeliverOptions {
  /** Ends the delivery when aborted. */
  signal: AbortSignal;
}

/** Someone who is told of alerts. */
export type Target =
  | {
    /** Makes the request that tells of a message. */
    request(message: Message): NoticeRequest | Promise<NoticeRequest>;
    /**
     * Makes the request that tells again of all alerts that are raised. Targets have it which keep alerts
     * in memory only, and expect to hear of them each minute.
     */
    repeat?(messages: readonly Message[]): NoticeRequest;
  }
  | {
    /** What warnings call it: a mail server, or a program. Never an address with a secret. */
    label: string;
    /** Tells of a message. */
    deliver(message: Message, options: DeliverOptions): Promise<Problem | undefined>;
  };

/**
 * The values of a target's keys, all expressions resolved. A key of {@linkcode TargetKind.perMessage} has
 * a function that resolves its value for a message.
 */
export type Settings = Record<string, unknown>;

/** Resolves a value for a message, whose body is the name `notice` in its expressions. */
export type ForMessage = (notice: NoticeBody) => unknown;

/** A kind of target. Each has a file of its own. */
export interface TargetKind {
  /** Its key in the settings: `slack`. */
  readonly name: string;
  /** What it is, in one sentence. */
  readonly description: string;
  /** The keys of its settings. */
  readonly fields: Fields;
  /** The keys whose expressions can use `notice`, so that they are resolved for each message. */
  readonly perMessage?: readonly string[];
  /**
   * Makes a target.
   * @throws {Error} With the key and what is wrong, if a value cannot be used.
   */
  open(settings: Settings): Target | Promise<Target>;
}
