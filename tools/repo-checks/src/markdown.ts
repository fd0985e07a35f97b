/** A fenced block of a Markdown page. */
export interface CodeBlock {
  /** What stands behind the fence: `ts`, `sh`, or nothing. */
  readonly language: string;
  readonly code: string;
}

/** All fenced code blocks of a page, in order. */
export function codeBlocks(page: string): CodeBlock[] {
  return [...page.matchAll(/^```(\w*)\n(.*?)^```$/gms)].map(([, language = '', code = '']) => ({ language, code }));
}

/** The page without what stands in code, where brackets are no links and `#` begins no heading. */
export function withoutCode(page: string): string {
  return page.replace(/^```.*?^```$/gms, '').replace(/`[^`\n]*`/g, '');
}

/** Targets of all links and pictures of a page, but those to other sites. */
export function localLinks(page: string): string[] {
  return [...withoutCode(page).matchAll(/\]\(([^)\s]+)(?:\s+"[^"]*")?\)/g)]
    .map(([, target = '']) => target)
    .filter((target) => !/^(?:[a-z]+:|\/\/)/i.test(target));
}

/** The anchors that a page's headings make, spelled as GitHub does. */
export function anchors(page: string): string[] {
  const seen = new Map<string, number>();
  const headings = [...page.replace(/^```.*?^```$/gms, '').matchAll(/^#{1,6}\s+(.+?)\s*$/gm)];
  return headings.map(([, heading = '']) => {
    const slug = heading
      .replace(/[`*]|\[|\]\([^)]*\)/g, '')
      .toLowerCase()
      .replace(/[^\p{L}\p{N}\s_-]/gu, '')
      .replace(/\s/g, '-');
    const count = seen.get(slug) ?? 0;
    seen.set(slug, count + 1);
    return count === 0 ? slug : `${slug}-${count}`;
  });
}
