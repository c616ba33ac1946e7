"""The words of messages by language, and the default templates that put them together."""

from __future__ import annotations

ENGLISH = {
    "title": "{state}: {rule} on {target}",
    "firing": "FIRING",
    "repeat": "STILL FIRING",
    "update": "UPDATED",
    "resolved": "RESOLVED",
    "update_severity": "SEVERITY CHANGED",
    "update_flapping": "FLAPPING",
    "update_calm": "NO LONGER FLAPPING",
    "update_released": "NO LONGER INHIBITED",
    "update_acknowledged": "ACKNOWLEDGED",
    "update_unacknowledged": "NO LONGER ACKNOWLEDGED",
    "update_silenced": "SILENCED",
    "update_unsilenced": "NO LONGER SILENCED",
    "update_comment": "COMMENT",
    "nodata": "NO DATA",
    "error": "ERROR",
    "several": "several targets",
    "severity": "Severity",
    "since": "Since",
    "seen": "Value",
    "expected": "expected",
    "limit": "limit",
    "phase": "Slowest part",
    "resolved_at": "Resolved",
    "after": "after",
    "outcome": "Reason",
    "acknowledged_by": "Acknowledged by",
    "note": "Note",
    "runbook": "Runbook",
    "dashboard": "Dashboard",
    "answer": "Answer",
    "replay": "Replay",
    "firing_total": "firing",
    "gap": " ",
    "resolved_total": "resolved",
    "more": "and {more} more",
    "phase_resolve": "name resolution",
    "phase_connect": "connection",
    "phase_tls": "TLS handshake",
    "phase_wait": "time to first byte",
    "phase_transfer": "transfer",
    "severity_info": "info",
    "severity_warning": "warning",
    "severity_error": "error",
    "severity_critical": "critical",
}
KOREAN = {
    "title": "{state}: {target}의 {rule}",
    "firing": "발생",
    "repeat": "계속 발생 중",
    "update": "변경",
    "resolved": "해결",
    "update_severity": "심각도 변경",
    "update_flapping": "반복 발생",
    "update_calm": "반복 종료",
    "update_released": "억제 해제",
    "update_acknowledged": "확인됨",
    "update_unacknowledged": "확인 취소",
    "update_silenced": "알림 중지",
    "update_unsilenced": "알림 재개",
    "update_comment": "댓글",
    "nodata": "데이터 없음",
    "error": "오류",
    "several": "여러 대상",
    "severity": "심각도",
    "since": "시작",
    "seen": "값",
    "expected": "예상",
    "limit": "한계",
    "phase": "가장 느려진 구간",
    "resolved_at": "해결",
    "after": "지속 시간",
    "outcome": "사유",
    "acknowledged_by": "확인한 사람",
    "note": "메모",
    "runbook": "런북",
    "dashboard": "대시보드",
    "answer": "응답",
    "replay": "재생",
    "firing_total": "건 발생",
    "resolved_total": "건 해결",
    "gap": "",
    "more": "외 {more}건",
    "phase_resolve": "이름 조회",
    "phase_connect": "연결",
    "phase_tls": "TLS 협상",
    "phase_wait": "첫 바이트 대기",
    "phase_transfer": "전송",
    "severity_info": "정보",
    "severity_warning": "경고",
    "severity_error": "오류",
    "severity_critical": "심각",
}
WORDS = {"en": ENGLISH, "ko": KOREAN}

TITLE = """\
{% if alerts|length == 1 and not more %}
{{ alert.title }}
{%- else %}
{{ firing_total }}{{ words.gap }}{{ words.firing_total }}, {{ resolved_total }}{{ words.gap }}{{ words.resolved_total }}
{%- if group %} ({% for name, value in group.items() %}{{ ", " if not loop.first }}{{ name }} {{ value }}{% endfor %})
{%- endif %}
{% endif %}
"""

TEXT = """\
{% if alerts|length == 1 and not more %}
{% if alert.summary %}
{{ alert.summary }}
{% endif %}
{{ words.severity }}: {{ alert.severity }}
{{ words.since }}: {{ alert.since }}
{% if alert.seen %}
{{ words.seen }}: {{ alert.seen }}
{%- if alert.expected %} ({{ words.expected }} {{ alert.expected }}
{%- if alert.limit %}, {{ words.limit }} {{ alert.limit }}{% endif %}){% endif %}

{% endif %}
{% if alert.phase %}
{{ words.phase }}: {{ alert.phase }}
{% endif %}
{% if alert.ended %}
{{ words.resolved_at }}: {{ alert.ended }}, {{ words.after }} {{ alert.duration }}
{% endif %}
{% if alert.outcome %}
{{ words.outcome }}: {{ alert.outcome }}
{% endif %}
{% if alert.acknowledged_by %}
{{ words.acknowledged_by }}: {{ alert.acknowledged_by }}
{% endif %}
{% if alert.note %}
{{ words.note }}: {{ alert.note }}
{% endif %}
{% if alert.runbook %}
{{ words.runbook }}: {{ alert.runbook }}
{% endif %}
{% if alert.dashboard %}
{{ words.dashboard }}: {{ alert.dashboard }}
{% endif %}
{% if alert.answer %}
{{ words.answer }}: {{ alert.answer }}
{% endif %}
{% if alert.replay %}
{{ words.replay }}: {{ alert.replay }}
{% endif %}
{% else %}
{% for one in alerts %}
{{ one.title }}{% if one.summary %}: {{ one.summary }}{% endif %}

{% endfor %}
{% if more %}
{{ words.more.format(more=more) }}
{% endif %}
{% endif %}
"""

HTML = """\
<html><body style="font-family:sans-serif;font-size:16px;line-height:1.4;max-width:640px">
{% macro row(name, value) %}{% if value %}
<tr><td style="color:#666;padding-right:12px;vertical-align:top">{{ name }}</td><td>{{ value }}</td></tr>
{% endif %}{% endmacro %}
{% macro link(url, word) %}{% if url %}
<a href="{{ url }}" style="display:inline-block;padding:10px 16px 10px 0">{{ word }}</a>
{% endif %}{% endmacro %}
{% if alerts|length == 1 and not more %}
<h3 style="margin:0 0 8px">{{ alert.title }}</h3>
{% if alert.summary %}<p style="margin:0 0 8px">{{ alert.summary }}</p>{% endif %}
{% if image %}<img src="{{ image }}" alt="" style="width:100%;max-width:640px">{% endif %}
<table style="border-spacing:0">
{{ row(words.severity, alert.severity) }}{{ row(words.since, alert.since) }}{{ row(words.seen, alert.seen) }}
{{ row(words.expected|capitalize, alert.expected) }}{{ row(words.limit|capitalize, alert.limit) }}
{{ row(words.phase, alert.phase) }}{{ row(words.resolved_at, alert.ended) }}
{{ row(words.after|capitalize, alert.duration) }}{{ row(words.outcome, alert.outcome) }}
{{ row(words.acknowledged_by, alert.acknowledged_by) }}{{ row(words.note, alert.note) }}
{{ row(words.replay, alert.replay) }}
</table>
<p>{{ link(alert.answer, words.answer) }}{{ link(alert.runbook, words.runbook) }}
{{ link(alert.dashboard, words.dashboard) }}</p>
{% else %}
<h3 style="margin:0 0 8px">{{ firing_total }}{{ words.gap }}{{ words.firing_total }},
{{ resolved_total }}{{ words.gap }}{{ words.resolved_total }}</h3>
<ul>{% for one in alerts %}<li><b>{{ one.title }}</b>: {{ one.summary }}</li>{% endfor %}</ul>
{% if more %}<p>{{ words.more.format(more=more) }}</p>{% endif %}
{% endif %}
</body></html>
"""
DEFAULTS = {"title": TITLE, "text": TEXT, "html": HTML}
