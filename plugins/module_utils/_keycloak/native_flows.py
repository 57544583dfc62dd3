# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The authentication flows that Keycloak puts into every realm, step by step. As 26.7 makes them: compare when the version is raised."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Step:
    """A step of a flow: whether it is required, its place among its neighbours, and the name of its configuration, if it has one."""

    requirement: str
    priority: int
    config: str = ""

    @property
    def text(self) -> str:
        """As a row of drift shows it."""
        return " ".join(filter(None, [self.requirement, f"at {self.priority}", self.config and f"with {self.config}"]))


STEPS: dict[str, dict[str, Step]] = {
    "browser": {
        "auth-cookie": Step("ALTERNATIVE", 10),
        "auth-spnego": Step("DISABLED", 20),
        "identity-provider-redirector": Step("ALTERNATIVE", 25),
        "Organization": Step("ALTERNATIVE", 26),
        "Organization/Browser - Conditional Organization": Step("CONDITIONAL", 10),
        "Browser - Conditional Organization/conditional-user-configured": Step("REQUIRED", 10),
        "Browser - Conditional Organization/organization": Step("ALTERNATIVE", 20),
        "forms": Step("ALTERNATIVE", 30),
        "forms/auth-username-password-form": Step("REQUIRED", 10),
        "forms/Browser - Conditional 2FA": Step("CONDITIONAL", 20),
        "Browser - Conditional 2FA/conditional-user-configured": Step("REQUIRED", 10),
        "Browser - Conditional 2FA/conditional-credential": Step("REQUIRED", 20, "browser-conditional-credential"),
        "Browser - Conditional 2FA/auth-otp-form": Step("ALTERNATIVE", 30),
        "Browser - Conditional 2FA/webauthn-authenticator": Step("DISABLED", 40),
        "Browser - Conditional 2FA/auth-recovery-authn-code-form": Step("DISABLED", 50),
    },
    "direct grant": {
        "direct-grant-validate-username": Step("REQUIRED", 10),
        "direct-grant-validate-password": Step("REQUIRED", 20),
        "Direct Grant - Conditional OTP": Step("CONDITIONAL", 30),
        "Direct Grant - Conditional OTP/conditional-user-configured": Step("REQUIRED", 10),
        "Direct Grant - Conditional OTP/direct-grant-validate-otp": Step("REQUIRED", 20),
    },
    "registration": {
        "registration form": Step("REQUIRED", 10),
        "registration form/registration-user-creation": Step("REQUIRED", 20),
        "registration form/registration-password-action": Step("REQUIRED", 50),
        "registration form/registration-recaptcha-action": Step("DISABLED", 60),
        "registration form/registration-terms-and-conditions": Step("DISABLED", 70),
    },
    "reset credentials": {
        "reset-credentials-choose-user": Step("REQUIRED", 10),
        "reset-credential-email": Step("REQUIRED", 20),
        "reset-password": Step("REQUIRED", 30),
        "Reset - Conditional OTP": Step("CONDITIONAL", 40),
        "Reset - Conditional OTP/conditional-user-configured": Step("REQUIRED", 10),
        "Reset - Conditional OTP/reset-otp": Step("REQUIRED", 20),
    },
    "clients": {
        "client-secret": Step("ALTERNATIVE", 10),
        "client-jwt": Step("ALTERNATIVE", 20),
        "client-secret-jwt": Step("ALTERNATIVE", 30),
        "client-x509": Step("ALTERNATIVE", 40),
        "federated-jwt": Step("ALTERNATIVE", 50),
    },
    "first broker login": {
        "idp-review-profile": Step("REQUIRED", 10, "review profile config"),
        "User creation or linking": Step("REQUIRED", 20),
        "User creation or linking/idp-create-user-if-unique": Step("ALTERNATIVE", 10, "create unique user config"),
        "User creation or linking/Handle Existing Account": Step("ALTERNATIVE", 20),
        "Handle Existing Account/idp-confirm-link": Step("REQUIRED", 10),
        "Handle Existing Account/Account verification options": Step("REQUIRED", 20),
        "Account verification options/idp-email-verification": Step("ALTERNATIVE", 10),
        "Account verification options/Verify Existing Account by Re-authentication": Step("ALTERNATIVE", 20),
        "Verify Existing Account by Re-authentication/idp-username-password-form": Step("REQUIRED", 10),
        "Verify Existing Account by Re-authentication/First broker login - Conditional 2FA": Step("CONDITIONAL", 20),
        "First broker login - Conditional 2FA/conditional-user-configured": Step("REQUIRED", 10),
        "First broker login - Conditional 2FA/conditional-credential": Step("REQUIRED", 20, "first-broker-login-conditional-credential"),
        "First broker login - Conditional 2FA/auth-otp-form": Step("ALTERNATIVE", 30),
        "First broker login - Conditional 2FA/webauthn-authenticator": Step("DISABLED", 40),
        "First broker login - Conditional 2FA/auth-recovery-authn-code-form": Step("DISABLED", 50),
        "First Broker Login - Conditional Organization": Step("CONDITIONAL", 60),
        "First Broker Login - Conditional Organization/conditional-user-configured": Step("REQUIRED", 10),
        "First Broker Login - Conditional Organization/idp-add-organization-member": Step("REQUIRED", 20),
    },
    "docker auth": {
        "docker-http-basic-authenticator": Step("REQUIRED", 10),
    },
}
