"""The Terraform files: their form, and their names and blocks against the AWS provider's schema.

`terraform validate` needs the provider itself, which no package registry has. CDK for Terraform generates a class for
each resource from the provider's schema; here its package takes the provider's place.
"""

import ast
import functools
import io
import re
import zipfile

import pytest
from tools import TOOLS
from server import ROOT

PLACE = ROOT / "conf/deploy/terraform"
FILES = sorted(PLACE.glob("*.tf"))
TEXT = "\n".join(path.read_text() for path in FILES)
META = {"count", "for_each", "depends_on", "lifecycle", "provider", "connection", "provisioners"}


def camel(name):
    return "".join(part.capitalize() for part in name.split("_"))


class Provider:
    """Reads the classes of resources from a package of CDK for Terraform, without importing it."""

    def __init__(self, wheel):
        self.wheel = zipfile.ZipFile(wheel)

    @functools.cache
    def classes(self, resource):
        module = f"cdktf_cdktf_provider_aws/{resource.removeprefix('aws_')}/__init__.py"
        tree = ast.parse(io.TextIOWrapper(self.wheel.open(module), "utf-8").read())
        return {node.name: node for node in tree.body if isinstance(node, ast.ClassDef)}

    def arguments(self, resource, name):
        """Arguments of a class: name to (is it required?, the class of the block, or None)."""
        [init] = [node for node in self.classes(resource)[name].body if getattr(node, "name", "") == "__init__"]
        found = {}
        for argument, default in zip(init.args.kwonlyargs, init.args.kw_defaults):
            kinds = re.findall(r"Union\[['\"]?(\w+)", ast.unparse(argument.annotation))
            kinds = [kind for kind in kinds if kind in self.classes(resource)]
            found[argument.arg] = (default is None, kinds[0] if kinds else None)
        return found

    def attributes(self, resource):
        """What others may read of a resource."""
        body = self.classes(resource)[camel(resource.removeprefix("aws_"))].body
        return {node.name for node in body if isinstance(node, ast.FunctionDef) and node.decorator_list}


@pytest.fixture(scope="module")
def provider():
    wheels = sorted(TOOLS.glob("cdktf_cdktf_provider_aws-*.whl"))
    if not wheels:
        pytest.skip("cdktf-cdktf-provider-aws could not be installed")
    return Provider(wheels[0])


@pytest.fixture(scope="module")
def resources():
    """Address to arguments of each resource, as python-hcl2 reads them."""
    packages = sorted((TOOLS / "venv/lib").glob("python3*/site-packages"))
    if not packages:
        pytest.skip("python-hcl2 could not be installed")
    found = {}
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(packages[0]))
        hcl2 = pytest.importorskip("hcl2")
        for path in FILES:
            for block in hcl2.loads(path.read_text()).get("resource", []):
                for kind, names in block.items():
                    found |= {(kind, name): body for name, body in names.items()}
    return found


def test_terraform_has_formatted_it(tool, tmp_path):
    (tmp_path / "rc").write_text("")
    tool("terraform", "fmt", "-check", "-diff", PLACE, env={"TF_CLI_CONFIG_FILE": str(tmp_path / "rc")})


def check_block(provider, resource, name, body, where):
    """The keys of a block are arguments of its class, and the required ones are there."""
    arguments = provider.arguments(resource, name)
    given = dict(body)
    for dynamic in given.pop("dynamic", []):
        for key, inner in dynamic.items():
            given[key] = inner["content"]
    assert set(given) <= set(arguments) | META, (where, set(given) - set(arguments))
    missing = {key for key, (required, _) in arguments.items() if required} - set(given) - {"scope", "id_"}
    assert not missing, (where, missing)
    for key, value in given.items():
        is_block = isinstance(value, list) and value and isinstance(value[0], dict)
        assert key in META or is_block == bool(arguments[key][1]), f"{where}.{key}"
        for inner in value if is_block and key not in META else []:
            check_block(provider, resource, arguments[key][1], inner, f"{where}.{key}")


def test_the_provider_knows_its_arguments(provider, resources):
    assert len(resources) == 13
    for (resource, name), body in resources.items():
        kind = camel(resource.removeprefix("aws_")) + "Config"
        check_block(provider, resource, kind, body, f"{resource}.{name}")


def test_a_mistake_would_be_found(provider, resources):
    body = resources[("aws_cloudwatch_event_target", "sluice")]
    kind = "CloudwatchEventTargetConfig"
    for wrong in (body | {"role": "x"}, {key: body[key] for key in body if key != "arn"},
                  body | {"retry_policy": [{"maximum_age": 1}]}):  # fmt: skip
        with pytest.raises(AssertionError):
            check_block(provider, "aws_cloudwatch_event_target", kind, wrong, "wrong")


def test_what_it_refers_to_exists(provider, resources):
    used = re.findall(r"(?<!data\.)\b(aws_\w+)\.(\w+)(?:\[0\])?\.(\w+)", TEXT)
    assert len(used) > 15
    for resource, name, attribute in used:
        assert (resource, name) in resources and attribute in provider.attributes(resource), (resource, name, attribute)


def test_each_variable_is_declared_and_used():
    declared = set(re.findall(r'(?m)^variable "(\w+)"', TEXT))
    assert set(re.findall(r"\bvar\.(\w+)", (PLACE / "main.tf").read_text())) == declared


def test_it_grants_what_the_template_grants():
    """The actions of the policies are those of the CloudFormation template."""
    template = (ROOT / "conf/deploy/eventbridge/eventbridge.yaml").read_text()
    pattern = r"\b(?:sqs|events|glue|sts|secretsmanager):[A-Z]\w+"
    assert set(re.findall(pattern, TEXT)) == set(re.findall(pattern, template))
