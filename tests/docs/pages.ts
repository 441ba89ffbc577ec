import { filesBelow, read } from "../project/sources.ts";

/** A fenced block of a page. */
export interface Block {
  page: string;
  line: number;
  /** What follows the fence: `ts`, `ts ignore`, `sh`. */
  language: string;
  text: string;
}

/** The blocks of all pages that users and contributors read. */
export async function allBlocks(): Promise<Block[]> {
  const pages = (await filesBelow()).filter((path) =>
    path.endsWith(".md") && /^(docs\/|bench\/)?[^/]+$/.test(path)
  );
  const blocks: Block[] = [];
  for (const page of pages) {
    const source = await read(page);
    for (const block of source.matchAll(/^```(.*)\n([^]*?)^```$/gm)) {
      const line = source.slice(0, block.index).split("\n").length;
      blocks.push({ page, line, language: block[1]!, text: block[2]! });
    }
  }
  return blocks;
}
