// Bundles src/ into app/web/static: hashed names, listed in manifest.json for the templates.
import { context, build } from "esbuild";
import { rm, writeFile, mkdir } from "node:fs/promises";
import { basename } from "node:path";

const out = "../static";

const manifest = {
  name: "manifest",
  setup(hook) {
    hook.onEnd(async ({ metafile }) => {
      if (!metafile) return;
      const names = {};
      for (const [file, { entryPoint }] of Object.entries(metafile.outputs)) {
        if (entryPoint && !file.endsWith(".map")) names[basename(entryPoint).replace(".ts", ".js")] = basename(file);
      }
      await writeFile(`${out}/manifest.json`, `${JSON.stringify(names, null, 2)}\n`);
    });
  },
};

const options = {
  entryPoints: ["src/app.ts", "styles/app.css", "styles/mail.css", "images/favicon.svg"],
  entryNames: "[name]-[hash]",
  bundle: true,
  minify: true,
  format: "esm",
  target: ["es2022", "chrome123", "firefox121", "safari17.5"],
  loader: { ".svg": "copy" },
  outdir: out,
  metafile: true,
  legalComments: "eof",
  plugins: [manifest],
  logLevel: "warning",
};

await rm(out, { recursive: true, force: true });
await mkdir(out, { recursive: true });
if (process.argv.includes("--watch")) await (await context(options)).watch();
else await build(options);
