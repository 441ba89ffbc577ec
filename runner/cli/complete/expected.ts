import { type OptionSpecs, shownOptions } from "../args.ts";
import type { Command, CommandContext } from "../command.ts";
import { COMMANDS, optionsOf } from "../commands.ts";
import { type Completion, type Place, withPrefix } from "./candidates.ts";

/** What a command line says before the cursor. */
interface Said {
  positional: string[];
  /** The values of options, by name. */
  values: Record<string, string[]>;
  /** The option whose value is at the cursor. */
  pending?: string;
  /** Whether options have ended, at `--`. */
  isOver: boolean;
}

/** Finds what can stand at the cursor. */
export async function completionOf(
  words: readonly string[],
  current: string,
  context: CommandContext,
): Promise<Completion> {
  const [first] = words;
  const isNamed = first !== undefined && Object.hasOwn(COMMANDS, first);
  if (first === "help") return words.length === 1 ? await commandNames() : { candidates: [] };
  const name = isNamed ? first : "run";
  const command = await COMMANDS[name]!();
  const options = Object.fromEntries(shownOptions(optionsOf(command)));
  const said = readWords(isNamed ? words.slice(1) : words, options);
  const place: Place = { ...said, command: name, context, current };
  if (said.pending !== undefined) return await valuesOf(said.pending, options, place);
  if (!said.isOver && current.startsWith("--") && current.includes("=")) {
    const from = current.indexOf("=") + 1;
    const values = await valuesOf(current.slice(2, from - 1), options, {
      ...place,
      current: current.slice(from),
    });
    return withPrefix(current.slice(0, from), values);
  }
  if (!said.isOver && current.startsWith("-")) return optionNames(options, said);
  if (words.length > 0) return await argumentsOf(command, place);
  const [commands, recipes] = await Promise.all([commandNames(), argumentsOf(command, place)]);
  // A word that begins no command can only be a path, which a shell quotes.
  const isPath = !commands.candidates.some(({ value }) => value.startsWith(current));
  return { candidates: [...commands.candidates, ...recipes.candidates], isPath };
}

function readWords(words: readonly string[], options: OptionSpecs): Said {
  const said: Said = { positional: [], values: {}, isOver: false };
  for (let i = 0; i < words.length; i++) {
    const word = words[i]!;
    const [, name, value] = /^--([\w-]+)(?:=(.*))?$/s.exec(word) ?? [];
    if (said.isOver || !word.startsWith("-") || word === "-") said.positional.push(word);
    else if (word === "--") said.isOver = true;
    else if (name !== undefined && options[name]?.value !== undefined) {
      if (value === undefined && i + 1 === words.length) said.pending = name;
      else (said.values[name] ??= []).push(value ?? words[++i]!);
    } else if (name !== undefined) said.values[name] = [];
  }
  return said;
}

async function commandNames(): Promise<Completion> {
  const all = Object.entries(COMMANDS).map(async ([value, load]) => ({
    value,
    description: (await load()).description,
  }));
  return {
    candidates: [...await Promise.all(all), { value: "help", description: "Show help." }],
  };
}

/** The options that can follow: those that are not set yet, or can be repeated. */
function optionNames(options: OptionSpecs, { values }: Said): Completion {
  const left = Object.entries(options).filter(([name, { repeat }]) => repeat || !values[name]);
  return {
    candidates: left.map(([name, { description }]) => ({ value: `--${name}`, description })),
  };
}

async function valuesOf(name: string, options: OptionSpecs, place: Place): Promise<Completion> {
  const spec = Object.hasOwn(options, name) ? options[name] : undefined;
  if (spec?.value === undefined) return { candidates: [] };
  const { optionValues } = await import("./sources.ts");
  return await optionValues(name, spec, place);
}

async function argumentsOf({ words }: Command, place: Place): Promise<Completion> {
  const { argumentValues } = await import("./sources.ts");
  const found = await argumentValues(place);
  // The actions of `admin` can have two words.
  const isFixed = place.positional.length === 0 || place.command === "admin";
  const fixed = isFixed ? (words ?? []).map((value) => ({ value })) : [];
  return { ...found, candidates: [...fixed, ...found.candidates] };
}
