/** The named entities of the characters from U+00A0 to U+00FF, in order. */
const LATIN_1 =
  "nbsp iexcl cent pound curren yen brvbar sect uml copy ordf laquo not shy reg macr " +
  "deg plusmn sup2 sup3 acute micro para middot cedil sup1 ordm raquo frac14 frac12 frac34 iquest " +
  "Agrave Aacute Acirc Atilde Auml Aring AElig Ccedil Egrave Eacute Ecirc Euml Igrave Iacute " +
  "Icirc Iuml ETH Ntilde Ograve Oacute Ocirc Otilde Ouml times Oslash Ugrave Uacute Ucirc Uuml " +
  "Yacute THORN szlig agrave aacute acirc atilde auml aring aelig ccedil egrave eacute ecirc euml " +
  "igrave iacute icirc iuml eth ntilde ograve oacute ocirc otilde ouml divide oslash ugrave " +
  "uacute ucirc uuml yacute thorn yuml";

/** The named entities of other characters, each with its character before it. */
const OTHERS = '& amp & AMP < lt < LT > gt > GT " quot " QUOT \' apos ' +
  // Some programs write all punctuation as entities.
  "! excl # num $ dollar % percnt ( lpar ) rpar * ast + plus , comma . period / sol : colon ; semi " +
  "= equals ? quest @ commat [ lsqb [ lbrack \\ bsol ] rsqb ] rbrack ^ Hat _ lowbar _ UnderBar " +
  "` grave { lcub { lbrace | verbar | vert | VerticalLine } rcub } rbrace " +
  "Œ OElig œ oelig Š Scaron š scaron Ÿ Yuml ƒ fnof ˆ circ ˜ tilde " +
  "– ndash — mdash ‘ lsquo ’ rsquo ‚ sbquo “ ldquo ” rdquo „ bdquo † dagger ‡ Dagger " +
  "• bull … hellip ‰ permil ‹ lsaquo › rsaquo € euro ™ trade";

/** Characters and their names in pairs. */
const PAIRS = /(\S) (\w+)/g;

/** The codes of named entities of HTML. */
export const ENTITIES: ReadonlyMap<string, number> = new Map([
  ...LATIN_1.split(" ").map((name, i) => [name, 0xa0 + i] as const),
  ...[...OTHERS.matchAll(PAIRS)].map(([, char, name]) => [name!, char!.charCodeAt(0)] as const),
  ["Tab", 0x09],
  ["NewLine", 0x0a],
]);
