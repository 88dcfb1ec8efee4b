/// The page's style sheet: quiet, legible, light and dark by the reader's preference, and on paper.
enum Style {
  static let sheet = """
    :root { color-scheme: light dark; --page: #fcfcfb; --ink: #1d2126; --soft: #5b636d; --faint: #8a929b;
      --rule: #dfe2e5; --grid: #ebedef; --edge: #aab1b8; --panel: #f4f5f4; --accent: #1f5fa8;
      --s0: #1f5fa8; --s1: #b8501c; --s2: #2f7d4f; --s3: #7a4ba0; --s4: #9c7a12; --s5: #b03a63;
      --source: #eef3f9; --stage: #ffffff; --command: #f8f3ea; --result: #edf6f0;
      --source-rule: #9db9d8; --stage-rule: #b9c0c7; --command-rule: #d3ba8c; --result-rule: #94c2a5; }
    @media (prefers-color-scheme: dark) { :root { --page: #15181b; --ink: #e4e7ea; --soft: #a2abb4; --faint: #79828c;
      --rule: #30363c; --grid: #252a2f; --edge: #59626b; --panel: #1c2024; --accent: #7fb2ec;
      --s0: #74aeee; --s1: #ec9463; --s2: #72c594; --s3: #bf98e0; --s4: #d9b64c; --s5: #ee86a8;
      --source: #1b2632; --stage: #1e2327; --command: #2a251b; --result: #1a2a21;
      --source-rule: #3f5f82; --stage-rule: #4a525a; --command-rule: #6d5a33; --result-rule: #3d6a4f; } }
    * { box-sizing: border-box; }
    body { margin: 0; background: var(--page); color: var(--ink);
      font: 15px/1.55 system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif; }
    main { max-width: 60rem; margin: 0 auto; padding: 3rem 1.5rem 4rem; }
    h1 { margin: 0; font-size: 1.9rem; line-height: 1.2; font-weight: 650; letter-spacing: -0.015em; }
    h2 { margin: 3rem 0 1rem; padding-top: 1rem; border-top: 1px solid var(--rule); font-size: 1.1rem;
      font-weight: 620; }
    p { margin: 0.4rem 0; }
    .subtitle { margin-top: 0.4rem; color: var(--soft); font-size: 1.05rem; }
    h1, h2, .subtitle, p, dd, figcaption, caption { overflow-wrap: anywhere; }
    td, th { max-width: 28rem; overflow-wrap: break-word; }
    .facts { display: grid; grid-template-columns: repeat(auto-fit, minmax(9rem, 1fr)); margin: 2rem 0 0;
      border: 1px solid var(--rule); border-radius: 8px; overflow: hidden; }
    .facts div { display: flex; flex-direction: column; justify-content: space-between; padding: 0.7rem 0.9rem; box-shadow: 1px 1px 0 0 var(--rule); }
    .facts dt { color: var(--soft); font-size: 0.8rem; }
    .facts dd { margin: 0.1rem 0 0; font-weight: 560; font-variant-numeric: tabular-nums; }
    figure { margin: 0 0 2rem; }
    figcaption { color: var(--soft); font-size: 0.88rem; }
    figure h3 { margin: 0 0 0.6rem; font-size: 0.98rem; font-weight: 600; }
    svg { display: block; max-width: 100%; height: auto; font: inherit; }
    svg.chart { width: 100%; min-width: 36rem; }
    svg text { fill: var(--ink); font-size: 12px; font-variant-numeric: tabular-nums; }
    svg .tick { fill: var(--soft); }
    svg .name { fill: var(--soft); font-size: 13px; }
    svg .key { font-size: 13px; }
    svg .grid { stroke: var(--grid); }
    svg .axis { stroke: var(--faint); }
    svg .line { fill: none; stroke: var(--c); stroke-width: 2; stroke-linejoin: round; stroke-linecap: round; }
    svg .bar { fill: none; stroke: var(--c); stroke-width: 1.4; opacity: 0.6; }
    svg .mark { fill: var(--c); stroke: var(--page); stroke-width: 1.5; }
    svg text.value { fill: var(--c); font-weight: 560; paint-order: stroke; stroke: var(--page); stroke-width: 3px; }
    .s0 { --c: var(--s0); } .s1 { --c: var(--s1); } .s2 { --c: var(--s2); } .s3 { --c: var(--s3); }
    .s4 { --c: var(--s4); } .s5 { --c: var(--s5); }
    .wide { overflow-x: auto; }
    .bleed { position: relative; left: 50%; width: max-content; max-width: calc(100vw - 3rem);
      transform: translateX(-50%); }
    .bleed svg { max-width: none; }
    .edges path { fill: none; stroke: var(--edge); stroke-width: 1.2; }
    .node rect { stroke-width: 1.2; }
    .node text { text-anchor: middle; font-size: 13px; font-weight: 560; }
    .node text.detail { fill: var(--soft); font-size: 11.5px; font-weight: 400; }
    .source rect { fill: var(--source); stroke: var(--source-rule); }
    .stage rect { fill: var(--stage); stroke: var(--stage-rule); }
    .command rect { fill: var(--command); stroke: var(--command-rule); }
    .result rect { fill: var(--result); stroke: var(--result-rule); }
    table { width: 100%; border-collapse: collapse; font-variant-numeric: tabular-nums; }
    caption { padding: 0 0 0.6rem; text-align: left; font-weight: 600; font-size: 0.98rem; }
    th, td { padding: 0.45rem 0.75rem; border-bottom: 1px solid var(--rule); text-align: left; vertical-align: top; }
    th:first-child, td:first-child { padding-left: 0; }
    th:last-child, td:last-child { padding-right: 0; }
    thead th { color: var(--soft); font-size: 0.82rem; font-weight: 560; border-bottom-color: var(--faint); }
    tbody tr:last-child td { border-bottom: 0; }
    .number { text-align: right; white-space: nowrap; }
    .quiet { color: var(--soft); font-size: 0.88em; font-weight: 400; }
    .wide + .wide { margin-top: 2rem; }
    details { border: 1px solid var(--rule); border-radius: 8px; margin: 0 0 0.6rem; }
    summary { padding: 0.65rem 0.9rem; cursor: pointer; font-weight: 560; overflow-wrap: anywhere; }
    summary .quiet { margin-left: 0.6rem; }
    summary:focus-visible { outline: 2px solid var(--accent); outline-offset: 2px; border-radius: 8px; }
    details .items { padding: 0 0.9rem 0.4rem; }
    .item { padding: 0.7rem 0; border-top: 1px solid var(--rule); }
    .item p { margin: 0; }
    .item dl { display: grid; grid-template-columns: 5.5rem 1fr; gap: 0.1rem 0.6rem; margin: 0.35rem 0 0; }
    .item dt { color: var(--soft); font-size: 0.85rem; }
    .item dd { margin: 0; min-width: 0; }
    code { font: 0.85rem/1.5 ui-monospace, SFMono-Regular, Menlo, Consolas, "Liberation Mono", monospace;
      overflow-wrap: anywhere; user-select: all; }
    .role { display: inline-block; margin-right: 0.6rem; padding: 0 0.5rem; border-radius: 4px;
      background: var(--panel); color: var(--soft); font-size: 0.82rem; }
    .notes { margin: 0; padding-left: 1.2rem; color: var(--soft); }
    .notes li { margin: 0.3rem 0; }
    @media print { @page { margin: 16mm; }
      :root { color-scheme: light; --page: #ffffff; --ink: #000000; --soft: #444444; --faint: #777777; --rule: #cccccc;
        --grid: #e6e6e6; --edge: #999999; --panel: #f2f2f2; --s0: #1f5fa8; --s1: #b8501c; --s2: #2f7d4f; --s3: #7a4ba0; --s4: #9c7a12;
        --s5: #b03a63; --source: #eef3f9; --stage: #ffffff; --command: #f8f3ea; --result: #edf6f0;
        --source-rule: #9db9d8; --stage-rule: #b9c0c7; --command-rule: #d3ba8c; --result-rule: #94c2a5; }
      body { font-size: 10.5pt; } main { max-width: none; padding: 0; }
      .wide { overflow: visible; } svg.chart { min-width: 0; }
      .bleed { position: static; width: auto; max-width: none; transform: none; } .bleed svg { max-width: 100%; }
      figure, tr, .item { break-inside: avoid; } h2 { break-after: avoid; }
      details::details-content { content-visibility: visible; display: block; } }
    """
}
