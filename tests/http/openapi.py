"""Holds recorded answers against the OpenAPI document: status, media type and schema of each."""

import json
import re

import jsonschema


def matcher(template):
    return re.compile("^" + re.sub(r"\\\{[^/]+?\\\}", "[^/]+", re.escape(template)) + "/?$")


class Document:
    def __init__(self, document):
        self.document = document
        self.resolver = jsonschema.RefResolver("", document)
        # Fixed paths before those with parameters, as the router has it.
        self.paths = sorted(((matcher(path), operations) for path, operations in document["paths"].items()),
                            key=lambda item: item[0].pattern.count("[^/]+"))
        self.validators = {}

    def operation(self, method, path):
        method = method.lower()
        for pattern, operations in self.paths:
            if pattern.match(path) and (method in operations or (method == "head" and "get" in operations)):
                return operations.get(method) or operations["get"]
        return None

    def resolve(self, value):
        while "$ref" in value:
            value = self.resolver.resolve(value["$ref"])[1]
        return value

    def problem(self, answer):
        """None when the answer is as promised, else what is not."""
        operation = self.operation(answer["method"], answer["path"])
        if operation is None:
            return None if answer["status"] in (400, 404, 405, 414) or answer["method"] == "OPTIONS" else "no such operation"
        responses = operation["responses"]
        response = responses.get(str(answer["status"])) or (responses.get("default") if answer["status"] >= 400 else None)
        if response is None:
            return "this status is not promised"
        content = self.resolve(response).get("content")
        if answer["method"] == "HEAD" or not content:
            return None
        kind = answer["type"].split(";")[0].strip()
        if kind not in content and "application/octet-stream" not in content and not kind.startswith("text/"):
            return f"the media type {kind!r} is not promised"
        schema = content.get(kind, {}).get("schema")
        if schema is None or answer["body"] is None:
            return None
        key = json.dumps(schema, sort_keys=True)
        if key not in self.validators:
            self.validators[key] = jsonschema.Draft202012Validator(schema, resolver=self.resolver)
        errors = list(self.validators[key].iter_errors(json.loads(answer["body"])))
        return f"{list(errors[0].absolute_path)}: {errors[0].message[:200]}" if errors else None


def check_answers(document, name, check):
    whole = Document(document)
    count, problems = 0, []
    with open(name, encoding="utf-8") as answers:
        for line in answers:
            answer = json.loads(line)
            count += 1
            problem = whole.problem(answer)
            if problem:
                problems.append(f"{answer['method']} {answer['path']} {answer['status']}: {problem}\n{(answer['body'] or '')[:200]}")
    check(not problems, f"every answer is as /openapi.json says ({count})", "\n".join(problems[:8]))
