// StyLua's command line, as far as it is needed here: stylua [--check] FOLDER...
// npm has StyLua as a library alone; the settings are those of the first folder's stylua.toml.
const fs = require("node:fs");
const path = require("node:path");
const { Config, IndentType, OutputVerification, formatCode } = require("@johnnymorganz/stylua");

const check = process.argv.includes("--check");
const folders = process.argv.slice(2).filter((argument) => argument !== "--check");
const settings = fs.readFileSync(path.join(folders[0], "stylua.toml"), "utf8").split("\n").filter(Boolean);

// Formatting uses one up.
function configured() {
  const config = Config.new();
  for (const line of settings) {
    const [key, value] = line.split("=").map((part) => part.trim());
    if (!(key in config)) throw new Error(`stylua.toml: ${key} is not known here`);
    config[key] = key === "indent_type" ? IndentType[JSON.parse(value)] : JSON.parse(value);
  }
  return config;
}

for (const folder of folders) {
  for (const name of fs.readdirSync(folder, { recursive: true }).filter((name) => name.endsWith(".lua")).sort()) {
    const file = path.join(folder, name);
    const before = fs.readFileSync(file, "utf8");
    const after = formatCode(before, configured(), undefined, OutputVerification.Full);
    if (after === before) continue;
    console.log(check ? `${file} is not formatted` : `formatted ${file}`);
    if (check) process.exitCode = 1;
    else fs.writeFileSync(file, after);
  }
}
