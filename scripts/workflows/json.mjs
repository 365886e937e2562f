// SPDX-License-Identifier: BSD-3-Clause
//
// The packages import JSON files without saying so, which bundlers understand
// and Node does not.

export function load(url, context, next) {
  if (!url.endsWith(".json")) return next(url, context);
  return next(url, { ...context, importAttributes: { type: "json" } });
}
