#!/bin/bash
# adminctl token: what is issued is a JWT that any library takes, and inspect tells good from bad.
. "$(dirname "$0")/../lib/stack.sh"
stack_folder

claims() { cut -d. -f2 <<<"$1" | tr '_-' '/+' | awk '{ while (length % 4) $0 = $0 "="; print }' | base64 -d; }
base64url() { base64 -w0 | tr '+/' '-_' | tr -d =; }

exits 0 'create' adminctl token create --sub ann --tenant acme --role admin --ttl 1h
token=$OUTPUT
is "$(claims "$token" | jq -c '[.sub, .tenant, .role, .exp - .iat]')" '["ann","acme","admin",3600]' 'it carries the claims'
expected=$(printf '%s' "${token%.*}" | openssl dgst -sha256 -hmac "$SECRET_KEY" -binary | base64url)
is "${token##*.}" "$expected" 'signed as openssl signs it'
isnt "$(claims "$token" | jq -r .jti)" "$(claims "$(adminctl token create --sub ann)" | jq -r .jti)" 'each has a number of its own'
is "$(claims "$(adminctl token create --sub ann)" | jq -c '[.tenant, .role, .exp - .iat]')" '[null,"user",28800]' 'without options: user, no tenant, 480 minutes'
is "$(claims "$(adminctl token create --sub ann --set ACCESS_TOKEN_EXPIRE_MINUTES=1)" | jq '.exp - .iat')" 60 'ACCESS_TOKEN_EXPIRE_MINUTES'
is "$(claims "$(adminctl token create --sub ann --tenant '*')" | jq -r .tenant)" '*' 'a token for all tenants'
is "$(claims "$(adminctl token create --sub 'ä"x')" | jq -r .sub)" 'ä"x' 'a name with a quote'
is "$(adminctl token create --sub ann --json | jq -r '.token | split(".") | length')" 3 'create --json'

exits 0 'inspect of a good one' adminctl token inspect "$token"
like "$OUTPUT" 'Good now +yes' 'says so'
is "$(adminctl token inspect --json <<<"$token" | jq -c '[.sub, .tenant, .role, .is_valid]')" '["ann","acme","admin",true]' 'from stdin, as JSON'
exits 1 'a changed claim' adminctl token inspect "${token%.*.*}.$(claims "$token" | sed s/ann/bob/ | base64url).${token##*.}"
like "$OUTPUT" 'signature' 'is told'
exits 1 'another key' env SECRET_KEY=another-secret-of-thirty-two-bytes-long adminctl token inspect "$token"
none=$(printf '{"alg":"none","typ":"JWT"}' | base64url).$(cut -d. -f2 <<<"$token").
exits 1 'alg none' adminctl token inspect "$none"
exits 1 'no token at all' adminctl token inspect nonsense
head=$(cut -d. -f1 <<<"$token") payload=$(printf '{"sub":"ann","exp":1000}' | base64url)
old=$head.$payload.$(printf '%s' "$head.$payload" | openssl dgst -sha256 -hmac "$SECRET_KEY" -binary | base64url)
exits 1 'an expired one' adminctl token inspect "$old"
like "$OUTPUT" 'ann.*expired' 'shows what it was'

exits 64 'create without --sub' adminctl token create
exits 64 'an unknown role' adminctl token create --sub ann --role king
exits 64 'no tenant code' adminctl token create --sub ann --tenant 'a b'
exits 64 'no time' adminctl token create --sub ann --ttl soon
exits 64 'a time of nothing' adminctl token create --sub ann --ttl 0
exits 64 'no SECRET_KEY' env -u SECRET_KEY adminctl token create --sub ann
like "$OUTPUT" 'SECRET_KEY' 'and it is named'
exits 64 'a SECRET_KEY that is too short' env SECRET_KEY=short adminctl token create --sub ann
unlike "$OUTPUT" '\bshort\b.*short' 'and not repeated'
done_testing
