"""Renders chat templates as `transformers` does.

usage: render_chat.py CASES RESULTS

CASES is a JSON list of objects with a `template`, its `messages`, `add_generation_prompt` and further `variables`.
RESULTS becomes a JSON list of the same length: a text, or an object whose `error` says why there is none.
"""

import json
import sys

from transformers.utils.chat_template_utils import render_jinja_template


def render(case):
    # The order of a mapping's keys shows when it is printed.
    messages = [{"role": message["role"], "content": message["content"]} for message in case["messages"]]
    try:
        rendered, _ = render_jinja_template(
            conversations=[messages], chat_template=case["template"],
            add_generation_prompt=case["add_generation_prompt"], **case["variables"])
        return rendered[0]
    except Exception as error:
        return {"error": f"{type(error).__name__}: {error}"}


def main():
    with open(sys.argv[1], encoding="utf-8") as file:
        cases = json.load(file)
    with open(sys.argv[2], "w", encoding="utf-8") as file:
        json.dump([render(case) for case in cases], file)


if __name__ == "__main__":
    main()
