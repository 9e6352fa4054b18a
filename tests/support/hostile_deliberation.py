"""Fifty texts that would be more than text, and a deliberation that holds one of them in every field."""

from __future__ import annotations

from functools import partial

from domain.chat import ChatOutcome, ChatRequest, FailureReason
from domain.deliberation import ReviewRules
from domain.plan import Constraints
from domain.policy import Policy
from domain.record import Record
from tests.support import factories as make
from tests.support.hostile_text import HOSTILE, SEQUENCES
from tests.support.scripted_model import answer, failure
from tests.support.stage import Stage

PLAIN = "plain"
TEXTS = {
    # Script, by elements.
    "script": "<script>alert(1)</script>",
    "script of another host": "<script src=//evil.example/a.js></script>",
    "split script": "<scr<script>ipt>alert(1)</scr</script>ipt>",
    "shouting script": "<SCRIPT\t>alert(1)</SCRIPT\t>",
    "handler": "<img src=x onerror=alert(1)>",
    "unclosed handler": "<img src=x onerror=alert(1) ",
    "autofocus": "<input autofocus onfocus=alert(1)><select autofocus onfocus=alert(1)>",
    "details": "<details open ontoggle=alert(1)><summary>x</summary></details>",
    "media": "<video><source onerror=alert(1)></video><audio src=x onerror=alert(1)>",
    "svg": "<svg onload=alert(1)><style>*{display:none}</style></svg>",
    "svg script": "<svg><script>alert(1)</script><animate onbegin=alert(1) attributeName=x></svg>",
    "math": "<math><mtext><table><mglyph><style><img src=x onerror=alert(1)></style></mglyph></table></math>",
    "frame": "<iframe srcdoc='<script>alert(1)</script>'></iframe><object data=data:text/html,x><embed src=x>",
    "form": "<form action=//evil.example><button formaction=javascript:alert(1)>x</button></form>",
    "shadow": "<template shadowrootmode=open><slot></slot></template><x-y is=z></x-y>",
    "portal": "<link rel=stylesheet href=//evil.example/a.css><meta http-equiv=refresh content=0;url=//evil>",
    # Out of an attribute, a script or a comment.
    "attribute": '" onmouseover="alert(1)" x=\'',
    "single quote": "' autofocus onfocus='alert(1)",
    "no quote": "x onmouseover=alert(1) ",
    "back quote": "` onmouseover=alert(1)",
    "end of script": "'-alert(1)-'\";alert(1);//\\",
    "closing": "</pre></title></textarea></script><!-- ]]> --><base href=//evil.example>",
    "comment": "<!--><script>alert(1)</script>--><!--[if IE]>x<![endif]-->",
    "cdata": "<![CDATA[<script>alert(1)</script>]]><?php echo 1 ?>",
    "style": "<style>@import '//evil.example/a.css';*{display:none}</style><p style=position:fixed>",
    "nonce": "<script nonce='{{ nonce }}'>alert(1)</script>",
    # Links.
    "link": "[x](javascript:alert(1)) <a href='javascript:alert(1)'>x</a>",
    "hidden link": "<a href='java&#x09;script:alert(1)'>x</a><a href=' \x01javascript:alert(1)'>x</a>",
    "data link": "<a href='data:text/html;base64,PHNjcmlwdD5hbGVydCgxKTwvc2NyaXB0Pg=='>x</a> vbscript:msgbox(1)",
    "addresses": "https://evil.example www.evil.example //evil.example ada@evil.example mailto:ada@evil.example",
    "path": "../../login?next=//evil.example#x%2e%2e%2f\\evil",
    # Markdown.
    "markdown": "# heading\n![x](http://evil.example/a.png)\n[a]: http://evil.example\n[a]\n---\n> q\n* x\n1. y\n",
    "fences": "```\n````python\n~~~~\n``````\n```mermaid\nx\n```\n    code\n`` ` ``",
    "table": "a | b\n--- | ---\n<b>x</b> | `|`\n",
    "emphasis": "**x** __y__ ~~z~~ <http://evil.example> &lt;b&gt; \\*",
    # Templates and htmx.
    "template": "{{ 7 * 7 }} {% include '/etc/passwd' %} ${7*7} <%= 7 %>",
    "comment of a template": "{# x #} {{ ''.__class__.__mro__ }} {{ config }} #{7*7} *{7*7}",
    "htmx": "<div hx-get='/logout' hx-trigger='load' data-hx-on:load='alert(1)' hx-vals='js:{a:1}'></div>",
    "htmx events": "<div hx-on::load='alert(1)' hx-ext=x hx-swap-oob=true id=main hx-sse:connect='//evil'>",
    "htmx partial": "<hx-partial hx-target='#main'><script>alert(1)</script></hx-partial>",
    "server-sent": "x\n\nevent: changed\ndata: <script>alert(1)</script>\nid: 9999\n\n",
    "header": "x\r\nSet-Cookie: a=b\r\n\r\n<script>alert(1)</script>",
    # What is not seen, or seen otherwise.
    "entities": "&lt;script&gt; &#x3c;script&#x3e; &quot; &amp;lt;",
    "escapes": "\\u003cscript\\u003e \\x3cscript\\x3e %3Cscript%3E +ADw-script+AD4-",
    "hidden": HOSTILE,
    "controls": "".join(SEQUENCES) + "\x00\x1b[31m",
    "directions": "\u202egnp.exe\u202c \u2066<script>\u2069 \u061c\u200f\u200e",
    "wide letters": "\uff1cscript\uff1ealert\uff081\uff09\uff1c/script\uff1e \u02b9\u2039script\u203a",
    "surrogates": "a\U0001f600 \u2028\u2029 \ufffe" + "e\u0301" + "\u0301" * 200,
    "megabyte line": "<b>" + "x" * 1_000_000,
}
"""Name → text."""


def staged(text: str) -> Record:
    """Play a deliberation that has the text in every field from outside."""
    return played(text, hostile_stage())


def hostile_stage() -> Stage:
    """Return a stage without councils."""
    return Stage(policy=Policy(model="tiny", judges=1, review=ReviewRules(explain_top=2)))


def played(text: str, stage: Stage) -> Record:
    """Put on a council of that text and play a plan of it; one agent fails."""
    bounded = text[:180].strip()
    personas = tuple(make.agent(f"a{n} {bounded}", persona=f"{n} {text[:3000]}", model=bounded) for n in range(3))
    judges = (make.agent(f"j {bounded}", persona=text[:3000], model=bounded),)
    role = f"R {bounded}"
    for council in (make.council(role, agents=personas), make.council("QA", agents=judges)):
        stage.services.councils.save(council)
        stage.lend(council)
    stage.model.follow(partial(_answer, text, bounded))
    plan = make.plan(
        title=text[:150_000],
        description=text[:150_000],
        acceptance_criteria=(text[:150_000],),
        plan_id=f"{make.fresh('p')} {text[:400]}".strip(),
        story_id=f"s {text[:400]}",
        approved_by=f"b {text[:400]}",
        roles=(role,),
        notes={"a": text[:1000]},
        constraints=Constraints.model_validate({"rubric": [f"c {text[:80].strip()}", "d"]}),
    )
    return stage.play(make.plan_request(plan))


def _answer(text: str, model: str, request: ChatRequest, before: int) -> ChatOutcome | None:
    if request.form:
        return None
    if "0/a2" in request.key:
        return failure(request, FailureReason.TIMEOUT).model_copy(update={"detail": text[:2000]})
    proposal = f"{text[:30_000]}\n```python\n{text[:3000]}\n```\n{request.key}"
    return answer(request, proposal, model=model, engine=text[:100])
