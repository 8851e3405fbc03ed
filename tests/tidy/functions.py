# SPDX-License-Identifier: BSD-3-Clause
"""Finds the functions of a C or C++ file and their lengths, without a compiler.

It knows just enough of the language for code that clang-format has formatted: comments, strings, preprocessor lines
and braces. At namespace and class level, a brace opens a scope, a function or an initializer; what stands before it
tells which. Inside a function only braces are counted, so lambdas and local types belong to it.
"""

import ast
import re

_TOKENS = re.compile(
    r'//[^\n]*|/\*.*?\*/|R"(?P<tag>[^(\s]*)\(.*?\)(?P=tag)"|"(?:\\.|[^"\\\n])*"|(?<![0-9a-fA-F])\'(?:\\.|[^\'\\\n])+\'|'
    r'^[ \t]*\#(?:\\\n|[^\n])*', re.DOTALL | re.MULTILINE)
_SCOPE = re.compile(r"\bnamespace\b|\bextern\s*\"\s*\"|\bexport\b")
_TYPE = re.compile(r"\b(class|struct|union|enum)\b(?!.*[()])", re.DOTALL)
_NAME = re.compile(r"((?:[\w:]*::)?operator\s*\(\)|(?:[\w:]*::)?operator[^\w\s(]+|[~\w:]+(?:<[^()]*>)?)\s*\(")
_LABEL = re.compile(r"\s*\b(?:public|private|protected)\s*:(?!:)")
_INIT_LIST = re.compile(r"\)\s*(?:noexcept\s*)?:(?!:)")


def _blank(match):
    """Replaces a comment, string or preprocessor line by as many lines; of a string the quotes stay."""
    found = match.group()
    lines = "\n" * found.count("\n")
    return '""' + lines if found[0] in '"R' else lines


def strip(source):
    return _TOKENS.sub(_blank, source)


def functions(source):
    """A list of (name, first line, length in lines) of the function definitions in C or C++ source."""
    code = strip(source)
    found = []
    scopes = []  # For each open brace: None for a namespace or type, else where its function began or False.
    start = 0
    line_at = _line_counter(code)
    for match in re.finditer(r"[{};]", code):
        at, char = match.start(), match.group()
        inside = scopes and scopes[-1] is not None
        if char == "{":
            if inside:
                scopes.append(False)
                continue
            kind = _kind(code[start:at])
            scopes.append(None if kind == "scope" else (start, code[start:at]) if kind == "function" else False)
            if kind != "initializer":
                start = at + 1
        elif char == "}":
            if not scopes:
                continue
            opened = scopes.pop()
            if opened:
                begin, head = opened
                while label := _LABEL.match(head):
                    begin, head = begin + label.end(), head[label.end():]
                begin += len(head) - len(head.lstrip())
                found.append((_name(head), line_at(begin), line_at(at) - line_at(begin) + 1))
            if opened or opened is None:
                start = at + 1
        elif not inside:
            start = at + 1
    return found


def _kind(head):
    """What a brace after `head`, the text since the last statement at namespace or class level, opens."""
    head = _LABEL.sub("", head)
    head = re.sub(r"\b(?:alignas|__attribute__)\s*\(\(?[^()]*\)?\)|\[\[[^\]]*\]\]", "", head).strip()
    if _SCOPE.search(head) and "(" not in head:
        return "scope"
    if _TYPE.search(re.sub(r"template\s*<[^{}]*?>(?=\s*\w)", "", head)) and not head.endswith("="):
        return "scope"
    if head.endswith("=") or ")" not in head:
        return "initializer"
    if _INIT_LIST.search(head) and re.search(r"[\w>]$", head) and not re.search(r"\)\s*(?:const|noexcept)$", head):
        return "initializer"
    return "function"


def _name(head):
    named = _NAME.search(re.sub(r"template\s*<[^{}]*?>(?=\s*\w)", "", head))
    if not named:
        return "lambda"
    name = named.group(1)
    if name.startswith("TEST"):
        inner = re.search(r"\(\s*([^()]*)\)", head)
        return f"{name}({' '.join(inner.group(1).split())})" if inner else name
    return name


def _line_counter(code):
    starts = [m.end() for m in re.finditer("\n", code)]

    def line(at):
        low, high = 0, len(starts)
        while low < high:
            middle = (low + high) // 2
            if starts[middle] <= at:
                low = middle + 1
            else:
                high = middle
        return low + 1

    return line


def python_functions(source):
    """The same for Python."""
    return [(node.name, node.lineno, node.end_lineno - node.lineno + 1) for node in ast.walk(ast.parse(source))
            if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef))]
