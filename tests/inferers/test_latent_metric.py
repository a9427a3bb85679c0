import torch
from torch import nn

from monai_cardiac_gan.inferers import latent_metric, metric_inverse


def test_it_is_the_mean_of_jacobians_products(painter):
    latents = torch.randn(3, 6, generator=torch.Generator().manual_seed(4))
    jacobians = [torch.autograd.functional.jacobian(lambda z: painter(z[None]).flatten(), z) for z in latents]
    expected = sum(jacobian.T @ jacobian / 256 for jacobian in jacobians) / 3
    torch.testing.assert_close(latent_metric(painter, 6, samples=3, seed=4), expected, rtol=1e-4, atol=1e-7)


def test_more_directions_than_go_at_once():
    generator = nn.Sequential(nn.Linear(60, 16, bias=False), nn.Unflatten(1, (1, 4, 4)))
    weight = generator[0].weight.detach()
    torch.testing.assert_close(latent_metric(generator, 60, samples=2), weight.T @ weight / 16, rtol=1e-4, atol=1e-6)


def test_it_foretells_how_far_a_small_step_changes_the_image(painter):
    metric = latent_metric(painter, 6, samples=2000)
    source = torch.Generator().manual_seed(9)
    latents, step = torch.randn(2000, 6, generator=source), 1e-2 * torch.randn(6, generator=source)
    change = (painter(latents + step) - painter(latents)).square().mean()
    torch.testing.assert_close(step @ metric @ step, change, rtol=0.05, atol=0)


def test_the_inverse_undoes_the_damped_metric():
    source = torch.Generator().manual_seed(2)
    roots = torch.randn(8, 5, generator=source, dtype=torch.double)
    metric = roots.T @ roots
    damped = metric / torch.linalg.eigvalsh(metric)[-1] + 0.01 * torch.eye(5, dtype=torch.double)
    torch.testing.assert_close(metric_inverse(metric, 0.01) @ damped, 0.01 * torch.eye(5, dtype=torch.double))


def test_the_inverse_has_no_step_longer_than_the_gradient():
    metric = torch.diag(torch.tensor([3.0, 1.0, 0.0]))
    values = torch.linalg.eigvalsh(metric_inverse(metric))
    torch.testing.assert_close(values[-1], torch.tensor(1.0))
    assert (values > 0).all()
