import { STYLE } from "../report/html/_page.ts";

/** The style of the page: that of the HTML report, and what only this page has. */
export const PAGE_STYLE: string = STYLE + `
body{display:block;height:auto;max-width:1080px;margin:0 auto;padding:24px 20px 64px}
header{display:flex;flex-wrap:wrap;align-items:center;gap:8px 16px;margin-bottom:16px}
header h1{flex:1;min-width:0;font-size:22px;overflow-wrap:anywhere}
#details{overflow-wrap:anywhere}
header form{margin:0}
h2{margin:24px 0 8px;font-size:16px}
a{color:var(--accent)}
.is-alerting,.is-failing{--status:var(--failed);--fill:var(--failed-fill)}
.is-broken{--status:var(--interrupted);--fill:var(--interrupted-fill)}
.is-maintenance,.is-pending{--status:var(--skipped);--fill:var(--skipped-fill)}
.is-passing{--status:var(--passed);--fill:var(--passed-fill)}
.headline{display:flex;gap:12px;align-items:center;padding:14px 18px;border:1px solid var(--line);border-left:6px solid var(--fill);border-radius:8px;background:var(--panel);font-size:17px;font-weight:600}
.checks{border:1px solid var(--line);border-radius:8px;background:var(--panel);overflow:hidden}
.check{display:grid;grid-template-columns:minmax(0,1fr) 300px 84px 84px;gap:4px 16px;align-items:center;padding:10px 18px;border-top:1px solid var(--line);content-visibility:auto;contain-intrinsic-height:auto 62px}
.check:first-child{border-top:0}
.check .name{font-weight:600;overflow-wrap:anywhere}
.check .why{grid-column:1/-1;color:var(--status);overflow-wrap:anywhere}
.number{text-align:right;font-variant-numeric:tabular-nums}
.number small{display:block;color:var(--soft)}
.bars path,.latency circle{fill:var(--fill)}
.bars{width:100%;height:28px}
.latency{width:100%;max-width:720px;height:auto;border:1px solid var(--line);border-radius:8px;background:var(--panel)}
.latency text{fill:var(--soft);font-size:11px;text-anchor:end}
.latency .grid{stroke:var(--line)}
.facts{display:grid;grid-template-columns:repeat(auto-fit,minmax(150px,1fr));gap:8px;margin:12px 0}
.facts>div{padding:10px 14px;border:1px solid var(--line);border-radius:8px;background:var(--panel)}
.facts dt{color:var(--soft)}
.facts small{display:block;color:var(--soft);font-size:12.5px;font-weight:400}
.facts dd{font-size:17px;font-weight:600;font-variant-numeric:tabular-nums}
table{width:100%;border-collapse:collapse;background:var(--panel)}
th,td{padding:6px 10px;border-bottom:1px solid var(--line);text-align:left;vertical-align:top;overflow-wrap:anywhere}
th{color:var(--soft);font-weight:500}
.diagnostics{overflow:auto;max-height:480px;padding:12px 16px;border:1px solid var(--line);border-radius:8px;background:var(--panel);white-space:pre-wrap;overflow-wrap:anywhere}
.note{padding:10px 14px;border-radius:8px;background:color-mix(in srgb,var(--interrupted-fill) 18%,transparent)}
.login{display:grid;gap:10px;max-width:320px;margin:64px auto}
.login input{padding:8px 10px;border:1px solid var(--strong-line);border-radius:6px;background:var(--panel)}
.button{padding:7px 14px;border:1px solid var(--strong-line);border-radius:6px;background:var(--panel)}
footer{margin-top:32px;color:var(--soft)}
@media (max-width:720px){.check{grid-template-columns:minmax(0,1fr) 84px}.check .bars{grid-column:1/-1}.check .week{display:none}}
`;

/**
 * The script of the page. Without it the page shows the state when it was opened; with it the server
 * sends what changes, drawn by the same code. What changes while there is no connection is not sent, so
 * that the page is loaded anew after that.
 */
export const PAGE_SCRIPT = `
const page=document.documentElement.dataset;
if(page.live){const live=new EventSource(page.live);let lost=false;
live.addEventListener("part",(event)=>{const{id,html}=JSON.parse(event.data);
const old=document.getElementById(id);if(old)old.outerHTML=html;});
live.addEventListener("reload",()=>{live.close();location.reload();});
live.addEventListener("open",()=>{if(lost)location.reload();});
const again=()=>setTimeout(()=>fetch(location.href,{method:"HEAD"}).then(({status})=>status<500?location.reload():again(),again),30000);
live.addEventListener("error",()=>{lost=true;document.getElementById("offline").hidden=false;
if(live.readyState===EventSource.CLOSED)again();});}
`;

/** The hash of a text for a content security policy. */
export async function policyHash(text: string): Promise<string> {
  const bytes = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text));
  return `'sha256-${btoa(String.fromCharCode(...new Uint8Array(bytes)))}'`;
}
