import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process";

/** A place as the protocol counts it: both from 0. */
export interface LspPosition {
  line: number;
  character: number;
}

/** A problem that a language server reports in a document. */
export interface LspDiagnostic {
  message: string;
  range: { start: LspPosition; end: LspPosition };
}

interface Message {
  id?: number;
  method?: string;
  params?: Record<string, unknown>;
  result?: unknown;
  error?: { message: string };
}

/** The settings that editors send, without the schema stores: nothing is fetched. */
const SETTINGS = {
  yaml: {
    validate: true,
    hover: true,
    completion: true,
    schemaStore: { enable: false, url: "" },
    kubernetesCRDStore: { enable: false },
  },
};

/**
 * The engine of VS Code's YAML extension, spoken to as an editor does: JSON-RPC over standard input
 * and output. It is a program for Node, whatever runs the test.
 */
export class YamlLanguageServer implements AsyncDisposable {
  #child: ChildProcessWithoutNullStreams;
  #buffer = new Uint8Array();
  #answers = new Map<number, (message: Message) => void>();
  #diagnostics = new Map<string, (found: LspDiagnostic[]) => void>();
  #count = 0;
  #ended: Promise<void>;

  private constructor() {
    const program = "node_modules/yaml-language-server/bin/yaml-language-server";
    this.#child = spawn("node", [program, "--stdio"]);
    this.#child.stdout.on("data", (chunk: Uint8Array) => this.#take(chunk));
    this.#ended = new Promise((resolve) => this.#child.on("close", () => resolve()));
  }

  /** Starts it. */
  static async start(): Promise<YamlLanguageServer> {
    const server = new YamlLanguageServer();
    await server.#request("initialize", {
      processId: null,
      rootUri: null,
      capabilities: {
        textDocument: {
          hover: { contentFormat: ["markdown"] },
          completion: { completionItem: { snippetSupport: true } },
        },
        workspace: { configuration: true },
      },
    });
    server.#send({ method: "initialized", params: {} });
    server.#send({ method: "workspace/didChangeConfiguration", params: { settings: SETTINGS } });
    return server;
  }

  /** Opens a document and returns the problems that the server reports. */
  open(uri: string, text: string): Promise<LspDiagnostic[]> {
    const found = new Promise<LspDiagnostic[]>((resolve) => this.#diagnostics.set(uri, resolve));
    const document = { uri, languageId: "yaml", version: 1, text };
    this.#send({ method: "textDocument/didOpen", params: { textDocument: document } });
    return found;
  }

  /** Returns the labels of the completions at a position. */
  async complete(uri: string, position: LspPosition): Promise<string[]> {
    const result = await this.#request("textDocument/completion", {
      textDocument: { uri },
      position,
    });
    const { items } = result as { items: { label: string }[] };
    return items.map(({ label }) => label);
  }

  /** Returns what the server shows on hover at a position. */
  async hover(uri: string, position: LspPosition): Promise<string> {
    const result = await this.#request("textDocument/hover", { textDocument: { uri }, position });
    return JSON.stringify((result as { contents: unknown } | null)?.contents ?? null);
  }

  /** Ends it. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#child.kill();
    await this.#ended;
  }

  #request(method: string, params: Record<string, unknown>): Promise<unknown> {
    const id = ++this.#count;
    const answer = new Promise<unknown>((resolve, reject) => {
      this.#answers.set(id, ({ result, error }) => {
        if (error) reject(new Error(`${method}: ${error.message}`));
        else resolve(result);
      });
    });
    this.#send({ id, method, params });
    return answer;
  }

  #send(message: Message): void {
    const body = new TextEncoder().encode(JSON.stringify({ jsonrpc: "2.0", ...message }));
    this.#child.stdin.write(`Content-Length: ${body.length}\r\n\r\n`);
    this.#child.stdin.write(body);
  }

  #take(chunk: Uint8Array): void {
    const joined = new Uint8Array(this.#buffer.length + chunk.length);
    joined.set(this.#buffer);
    joined.set(chunk, this.#buffer.length);
    this.#buffer = joined;
    while (true) {
      const header = /^Content-Length: (\d+)\r\n(?:.*\r\n)*?\r\n/.exec(
        new TextDecoder("latin1").decode(this.#buffer.subarray(0, 200)),
      );
      if (!header) return;
      const start = header[0].length;
      const end = start + Number(header[1]);
      if (this.#buffer.length < end) return;
      const message = JSON.parse(new TextDecoder().decode(this.#buffer.subarray(start, end)));
      this.#buffer = this.#buffer.slice(end);
      this.#receive(message);
    }
  }

  #receive(message: Message): void {
    const { id, method, params } = message;
    if (method === undefined) return this.#answers.get(id!)?.(message);
    if (method === "textDocument/publishDiagnostics") {
      const { uri, diagnostics } = params as { uri: string; diagnostics: LspDiagnostic[] };
      this.#diagnostics.get(uri)?.(diagnostics);
    }
    if (id === undefined) return;
    // It asks for its settings, section by section, and for things that an editor may not know.
    const items = (params?.items ?? []) as { section: string }[];
    const result = method === "workspace/configuration"
      ? items.map(({ section }) => (SETTINGS as Record<string, unknown>)[section] ?? null)
      : null;
    this.#send({ id, result });
  }
}
