//! The language of Traefik's `match`.

use mxdoctor_probes::manifest::Node;

use crate::lint::view::Container;
use crate::lint::{Found, Stack};
use crate::rule;

rule! {
    /// A rule that Traefik cannot read takes its router out of service. Version 3 has no lists
    /// (``Host(`a`, `b`)``), no single quotes, and `Header` where version 2 had `Headers`.
    ///
    /// Silent where the route says `syntax: v2`, and where the tree is evidently for Traefik 2: by
    /// the image, or by objects of the group that version 3 has given up.
    ///
    /// Source: Traefik, "Routers: Rule"; "Migration: v2 to v3", rule syntax.
    UNREADABLE = "NET-06" Error: "Traefik can read the rule of every route"
    breaks "the ingress answers 404 for the host: the whole router is in error"
    remedy "write it in the language of version 3: Host(`a`) || Host(`b`)"
    cause "route-rule-unreadable"
    check "kubernetes.routes"
    look unreadable
}

/// Functions of version 3, each with how many arguments it takes at most.
const FUNCTIONS: &[(&str, usize)] = &[
    ("Host", 1),
    ("HostRegexp", 1),
    ("Path", 1),
    ("PathPrefix", 1),
    ("PathRegexp", 1),
    ("Header", 2),
    ("HeaderRegexp", 2),
    ("Method", 1),
    ("Query", 2),
    ("QueryRegexp", 2),
    ("ClientIP", 1),
];

fn unreadable(stack: &Stack<'_>, found: &mut Found) {
    let all_old = is_version_2(stack);
    for object in stack.inventory.of_kind("IngressRoute") {
        for route in object.node.list("spec.routes") {
            let old = all_old || route.str("syntax") == Some("v2");
            let Some(rule) = route.get("match").filter(|_| !old) else {
                continue;
            };
            if let Some(why) = rule.as_str().and_then(wrong) {
                found.at(object, rule, why);
            }
        }
    }
}

/// Whether the tree shows that its Traefik is of version 2.
pub(super) fn is_version_2(stack: &Stack<'_>) -> bool {
    let mut objects = stack.inventory.objects().iter();
    runs_version_2(stack) || objects.any(|object| object.group() == "traefik.containo.us")
}

/// Whether the tree runs a Traefik of version 2.
pub(in crate::lint::rules) fn runs_version_2(stack: &Stack<'_>) -> bool {
    let images = stack.running(&["traefik", "mirrored-library-traefik"]).into_iter();
    let version =
        |(_, container): (_, Container<'_>)| container.image()?.version()?.first().copied();
    images.filter_map(version).any(|major| major == 2)
}

/// What Traefik would not read in a rule.
pub(super) fn wrong(rule: &str) -> Option<String> {
    let mut rest = rule.trim_start();
    let mut open = 0_usize;
    // After an operand an operator or `)` follows, and before one none may.
    let mut operand = false;
    while let Some(first) = rest.chars().next() {
        match first {
            '(' if !operand => open += 1,
            ')' if operand && open > 0 => open -= 1,
            ')' => return Some("a `)` stands where nothing ends".to_owned()),
            '!' if !operand => {}
            '&' | '|' if operand => {
                let operator = if first == '&' { "&&" } else { "||" };
                let Some(_) = rest.strip_prefix(operator) else {
                    return Some(format!("`{first}` stands alone; it is written `{operator}`"));
                };
                rest = rest[2..].trim_start();
                operand = false;
                continue;
            }
            _ if first.is_ascii_alphabetic() && !operand => match function(rest) {
                Ok(left) => {
                    rest = left.trim_start();
                    operand = true;
                    continue;
                }
                Err(why) => return Some(why),
            },
            _ => {
                let near: String = rest.chars().take(12).collect();
                return Some(format!("`{near}` stands where it cannot be read"));
            }
        }
        rest = rest[first.len_utf8()..].trim_start();
    }
    match (operand, open) {
        (true, 0) => None,
        (false, _) => Some("the rule ends where something has to follow".to_owned()),
        (true, _) => Some("a `(` is not closed".to_owned()),
    }
}

/// Reads a function; what follows it.
fn function(rest: &str) -> Result<&str, String> {
    let end = rest.find(|c: char| !c.is_ascii_alphanumeric()).unwrap_or(rest.len());
    let name = &rest[..end];
    let known = FUNCTIONS.iter().find(|(known, _)| known.eq_ignore_ascii_case(name));
    let Some((_, most)) = known else {
        return Err(match name {
            "Headers" | "HeadersRegexp" => {
                format!("{name} is of version 2; version 3 has {}", name.replace("rs", "r"))
            }
            _ => format!("Traefik has no function {name}"),
        });
    };
    let Some(mut inside) = rest[end..].trim_start().strip_prefix('(') else {
        return Err(format!("`(` has to follow {name}"));
    };
    let mut arguments = 0;
    loop {
        inside = inside.trim_start();
        let quote = inside.chars().next();
        let Some(quote @ ('`' | '"')) = quote else {
            return Err(format!("the argument of {name} has to stand between backticks"));
        };
        let Some((_, left)) = inside[1..].split_once(quote) else {
            return Err(format!("the argument of {name} is not closed by {quote}"));
        };
        arguments += 1;
        inside = left.trim_start();
        if let Some(more) = inside.strip_prefix(',') {
            inside = more;
        } else if let Some(left) = inside.strip_prefix(')') {
            return if arguments > *most {
                Err(format!("{name} takes {most} in version 3, not {arguments}; put || between"))
            } else {
                Ok(left)
            };
        } else {
            return Err(format!("`)` has to follow the argument of {name}"));
        }
    }
}

rule! {
    /// Two routes with the same rule: only one of them is ever asked, which one is decided by
    /// the length of the rule and then by chance.
    ///
    /// Silent where the two are for different Traefiks, by their class.
    ///
    /// Source: Traefik, "Routers: Priority".
    TWICE = "NET-07" Warning: "no two routes have the same rule"
    breaks "one of the two Services is never asked, and which one can change"
    remedy "take one of the routes away, or give it a rule or priority of its own"
    cause "route-claimed-twice"
    check "kubernetes.routes"
    look twice
}

fn twice(stack: &Stack<'_>, found: &mut Found) {
    let mut seen: Vec<(String, Vec<&str>, &Node)> = Vec::new();
    for object in stack.inventory.of_kind("IngressRoute") {
        let points = object.node.list("spec.entryPoints").iter();
        let mut points: Vec<&str> = points.filter_map(Node::as_str).collect();
        points.sort_unstable();
        let class = object.annotation("kubernetes.io/ingress.class").and_then(Node::as_str);
        points.extend(class.or(object.node.str("spec.ingressClassName")));
        for route in object.node.list("spec.routes") {
            let (Some(rule), None) = (route.get("match"), route.get("priority")) else { continue };
            let text = rule.as_str().unwrap_or_default();
            let text: String = text.split_whitespace().collect();
            let same = seen.iter().find(|(other, where_, _)| *other == text && *where_ == points);
            if let Some((_, _, first)) = same {
                found
                    .at(object, rule, "another route has the same rule")
                    .also(first, "the other one");
            } else {
                seen.push((text, points.clone(), rule));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::wrong;
    use crate::lint::testing::found;

    #[test]
    fn rules_of_version_3_are_read() {
        for good in [
            "Host(`a.example`)",
            "Host(\"a.example\") && (PathPrefix(`/_matrix`) || !Path(`/x`))",
            "HostRegexp(`^.+\\.a$`) && Header(`X-A`, `b`)",
            "host(`a`) && ClientIP(`10.0.0.0/8`)",
        ] {
            assert_eq!(wrong(good), None, "{good}");
        }
    }

    #[test]
    fn what_traefik_refuses_is_told() {
        for (bad, expected) in [
            ("Host('a')", "the argument of Host has to stand between backticks"),
            ("Host(`a`, `b`)", "Host takes 1 in version 3, not 2; put || between"),
            ("Host(`a)", "the argument of Host is not closed by `"),
            ("Host(`a`) & Path(`/`)", "`&` stands alone; it is written `&&`"),
            ("(Host(`a`)", "a `(` is not closed"),
            ("Host(`a`))", "a `)` stands where nothing ends"),
            ("Host(`a`) &&", "the rule ends where something has to follow"),
            ("Headers(`a`, `b`)", "Headers is of version 2; version 3 has Header"),
            ("HostHeader(`a`)", "Traefik has no function HostHeader"),
            ("Host(`a`) Path(`/`)", "`Path(`/`)` stands where it cannot be read"),
            ("", "the rule ends where something has to follow"),
        ] {
            assert_eq!(wrong(bad).as_deref(), Some(expected), "{bad}");
        }
    }

    #[test]
    fn a_route_is_judged_by_its_syntax() {
        let text = "apiVersion: traefik.io/v1alpha1\nkind: IngressRoute\nmetadata: {name: a}\nspec:\n  \
                    routes:\n  - match: Host(`a`, `b`)\n  - match: Host( `d` )\n  - match: Host(`c`)\n";
        assert_eq!(found("NET-06", text).len(), 1);
        assert_eq!(found("NET-07", text).len(), 0);
        let old = text.replace("Host(`a`, `b`)", "Host(`a`, `b`)\n    syntax: v2");
        assert_eq!(found("NET-06", &old), [""; 0]);
        let version =
            text.to_owned() + "---\napiVersion: traefik.containo.us/v1alpha1\nkind: Middleware\n";
        assert_eq!(found("NET-06", &version), [""; 0]);
        let same = text.replace("`d`", "`c`");
        assert_eq!(found("NET-07", &same), ["8:12 another route has the same rule"]);
    }
}
