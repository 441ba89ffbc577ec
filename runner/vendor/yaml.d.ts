export { isAlias, isMap, isScalar, isSeq, parseAllDocuments } from "yaml";
