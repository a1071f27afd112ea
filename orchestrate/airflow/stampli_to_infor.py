"""Stampli to Infor M3, every 15 minutes: an Airflow 3 DAG that calls Meltano.

Put it into the DAGs folder. What differs here is said by environment variables of scheduler and workers:

* ``STAMPLI_INFOR_PROJECT``: the checkout; ``/srv/stampli-infor`` by default.
* ``STAMPLI_INFOR_MELTANO``: how Meltano is called; the checkout's own in environment ``prod`` by default.
* ``STAMPLI_INFOR_ALERT_TO``, ``STAMPLI_INFOR_ALERT_FROM``: who gets a mail when a run broke, and from whom.
  It goes out by Airflow's connection ``smtp_default``. Other notifiers of Airflow's may stand in ``ALERTS``.

The standard and the mail provider that it needs come with Airflow 3. Meltano and the plugins stay in
environments of their own.
"""

from __future__ import annotations

import os
import shlex
from datetime import UTC, datetime, timedelta

from airflow.providers.smtp.notifications.smtp import SmtpNotifier
from airflow.providers.standard.operators.bash import BashOperator
from airflow.sdk import DAG, TriggerRule

PROJECT = os.environ.get("STAMPLI_INFOR_PROJECT", "/srv/stampli-infor")
MELTANO = os.environ.get(
    "STAMPLI_INFOR_MELTANO", f"{shlex.quote(PROJECT)}/.tools/meltano/bin/meltano --environment=prod"
)
ALERT_TO = os.environ.get("STAMPLI_INFOR_ALERT_TO")
ALERT_FROM = os.environ.get("STAMPLI_INFOR_ALERT_FROM")

_SUBJECT = "Stampli to Infor: {{ ti.task_id }} failed in run {{ run_id }}"
_TEXT = (
    "Try {{ ti.try_number }} was the last one. What was done is kept, and the next run goes on from there. "
    'Log: <a href="{{ ti.log_url }}">{{ ti.log_url }}</a>'
)
ALERTS = (
    [SmtpNotifier(to=ALERT_TO, from_email=ALERT_FROM, subject=_SUBJECT, html_content=_TEXT)]
    if ALERT_TO
    else []
)

with DAG(
    "stampli_to_infor",
    description="Approved invoices and payments from Stampli's SFTP exports into M3's accounts payable",
    schedule="*/15 * * * *",
    start_date=datetime(2026, 1, 1, tzinfo=UTC),
    # A run takes whatever lies on the server, so those that were missed have nothing to make up for.
    catchup=False,
    # Two at once would do no harm: Meltano refuses the second, and no document is ever taken twice.
    max_active_runs=1,
    doc_md=__doc__,
) as dag:
    post = BashOperator(
        task_id="post",
        bash_command=f"exec {MELTANO} run post-to-infor",
        cwd=PROJECT,
        append_env=True,
        # Red means that the run broke: no connection, a refused token, a full disk. Documents that M3 refused
        # are the next task's to show. Were they an error here, a retry would find no new one, end well and
        # hide them.
        env={"TARGET_INFOR_CLOUDSUITE_FAIL_ON": "never"},
        # A retry is safe: it asks M3 what became of a write in doubt. But Meltano takes a run that was killed
        # for a running one for five minutes.
        retries=3,
        retry_delay=timedelta(minutes=6),
        # A run that takes longer is told to stop and ends what it has in flight; the next try goes on.
        execution_timeout=timedelta(hours=6),
        skip_on_exit_code=None,
        on_failure_callback=ALERTS,
    )
    # Exit code 3: red, with the list in its log, for as long as something waits for a person. It is not tried
    # again, and sends no mail, which would be one every 15 minutes.
    for_a_person = BashOperator(
        task_id="for_a_person",
        bash_command=f"exec {MELTANO} invoke cloudsuite-ap review list",
        cwd=PROJECT,
        retries=0,
        skip_on_exit_code=None,
        trigger_rule=TriggerRule.ALL_SUCCESS,
    )
    post >> for_a_person
