"""What operators of the platform look at, and what of it a tenant is told in a sentence.

All of it is read from Postgres: workers report there what they alone can see, so the API reaches nothing more than before.
"""
