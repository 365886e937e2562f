// SPDX-License-Identifier: BSD-3-Clause
//
// Checks workflows and actions with the parser and the language service that
// GitHub itself uses. The callers in workflows/ are checked against the reusable
// workflows of this checkout: inputs, secrets and rights.
//
//   node check.mjs FOLDER    the repository; exit status 1 if something is wrong

import { readFile } from "node:fs/promises";
import { readdirSync } from "node:fs";
import { register } from "node:module";
import path from "node:path";
import { TextDocument } from "vscode-languageserver-textdocument";
import { parse } from "yaml";

register("./json.mjs", import.meta.url);
const { validate } = await import("@actions/languageservice");

const root = path.resolve(process.argv[2] ?? ".");
const ours = "spdk-community-ci/dispatcher";

// Actions of others cannot be looked up without a network.
const accepted = [/^Unable to resolve action `actions\//];

const list = (dir, name) =>
  readdirSync(path.join(root, dir), { recursive: true, encoding: "utf8" })
    .filter((file) => name.test(file))
    .map((file) => path.posix.join(dir, file));

const files = [
  ...list(".github/workflows", /\.yml$/),
  ...list("workflows", /\.yml$/),
  "action.yml",
  ...list("actions", /action\.yml$/),
];

// fileProvider gives the reusable workflows that callers name.
const fileProvider = {
  async getFileContent(ref) {
    if ("repository" in ref && `${ref.owner}/${ref.repository}` !== ours) {
      throw new Error(`${ref.owner}/${ref.repository} is not here`);
    }
    return { name: ref.path, content: await readFile(path.join(root, ref.path), "utf8") };
  },
};

// actionsMetadataProvider gives the inputs of our own actions.
const actionsMetadataProvider = {
  async fetchActionMetadata(action) {
    if (`${action.owner}/${action.name}` !== ours) return undefined;
    return parse(await readFile(path.join(root, action.path ?? "", "action.yml"), "utf8"));
  },
};

let wrong = 0;
for (const file of files) {
  const text = await readFile(path.join(root, file), "utf8");
  // The service takes a file for a workflow by its place.
  const uri = `file:///${file.replace(/^workflows\//, ".github/workflows/")}`;
  const document = TextDocument.create(uri, "yaml", 1, text);
  for (const d of await validate(document, { fileProvider, actionsMetadataProvider })) {
    if (accepted.some((message) => message.test(d.message))) continue;
    wrong++;
    console.log(`${file}:${d.range.start.line + 1}:${d.range.start.character + 1}: ${d.message}`);
  }
}
console.log(`${files.length} files, ${wrong} problems`);
process.exitCode = wrong > 0 ? 1 : 0;
